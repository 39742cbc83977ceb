from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from app.core.runs import RunStatus
from app.core.safety_gate import Limit, Limits, publication_blocker
from app.core.scraping import CrawlResult, StoredBook, compare
from tests.support.books import LIMITS, make_crawl, make_scraped, make_stored


def refusal(crawl: CrawlResult, stored: Sequence[StoredBook] = (), limits: Limits = LIMITS) -> str | None:
    listed = sum(book.listed for book in stored)
    return publication_blocker(crawl, compare(stored, crawl), listed, limits)


def a_hundred(read: int) -> CrawlResult:
    """A shop of 100 books, `read` of them readable."""
    names = [str(number) for number in range(100)]
    return make_crawl(*(make_scraped(name) for name in names[:read]), failed=tuple(names[read:]))


def test_a_whole_crawl_passes() -> None:
    assert refusal(a_hundred(100)) is None


def test_nothing_read_is_refused() -> None:
    assert refusal(make_crawl()) == "Nenhum livro foi lido."
    assert refusal(make_crawl(failed=("a",))) == "Nenhum livro foi lido."


def test_failed_pages_pass_at_the_limit_and_not_over_it() -> None:
    assert refusal(a_hundred(98)) is None
    reason = refusal(a_hundred(97))
    assert reason is not None
    assert reason.startswith("3 de 100 livros não puderam ser lidos")
    assert "2%" in reason
    assert "SCRAPER_MAX_FAILED_SHARE" in reason
    assert "Motivo mais comum (3): HTTP 500" in reason


def test_books_announced_but_never_listed_count_as_failed() -> None:
    books = [make_scraped(str(number)) for number in range(98)]
    assert refusal(make_crawl(*books, announced=100)) is None
    assert refusal(make_crawl(*books[1:], announced=100)) is not None


def test_more_books_than_announced_are_no_failure() -> None:
    assert refusal(make_crawl(make_scraped("a"), make_scraped("b"), announced=1)) is None


def test_vanished_books_pass_at_the_limit_and_not_over_it() -> None:
    stored = [make_stored(number, str(number)) for number in range(10)]
    pages = [make_scraped(str(number)) for number in range(10)]
    assert refusal(make_crawl(*pages[2:]), stored) is None
    reason = refusal(make_crawl(*pages[3:]), stored)
    assert reason is not None
    assert reason.startswith("3 de 10 livros sumiram")
    assert "SCRAPER_MAX_VANISHED_SHARE" in reason


def test_books_that_had_vanished_before_do_not_count_again() -> None:
    stored = [make_stored(0, "0"), *(make_stored(n, str(n), listed=False) for n in range(1, 10))]
    assert refusal(make_crawl(make_scraped("0")), stored) is None


def test_a_limit_of_1_allows_moving_to_another_shop() -> None:
    limits = replace(LIMITS, max_vanished_share=Limit(Decimal(1), "ANY"))
    assert refusal(make_crawl(make_scraped("new")), [make_stored(0, "old")], limits) is None
    assert refusal(make_crawl(make_scraped("new")), [make_stored(0, "old")]) is not None


def test_two_books_with_one_upc_are_refused() -> None:
    reason = refusal(make_crawl(make_scraped("a", upc="same"), make_scraped("b", upc="same")))
    assert reason is not None
    assert "'same'" in reason


@pytest.mark.parametrize("price", ["0.01", "1000.00"])
def test_prices_at_the_limits_pass(price: str) -> None:
    assert refusal(make_crawl(make_scraped("a", price=price))) is None


@pytest.mark.parametrize("price", ["0.00", "1000.01"])
def test_prices_just_over_the_limits_are_absurd(price: str) -> None:
    reason = refusal(make_crawl(make_scraped("a", price=price)))
    assert reason is not None
    assert "absurdo" in reason
    assert price in reason


def test_a_price_with_tax_under_the_one_without_is_absurd() -> None:
    book = make_scraped("a", price_excl_tax=Decimal("10.01"), price_incl_tax=Decimal("10.00"))
    assert refusal(make_crawl(book)) is not None


@pytest.mark.parametrize(
    ("before", "after", "absurd"),
    [
        ("10.00", "100.00", False),
        ("10.00", "100.01", True),
        ("10.00", "1.00", False),
        ("10.00", "0.99", True),
        ("0.00", "1.00", True),
    ],
)
def test_a_price_may_change_by_the_factor_and_no_more(before: str, after: str, absurd: bool) -> None:
    reason = refusal(make_crawl(make_scraped("a", price=after)), [make_stored(0, "a", price=before)])
    assert (reason is not None) is absurd


def test_absurd_prices_pass_at_the_limit_and_not_over_it() -> None:
    limits = replace(LIMITS, max_absurd_price_share=Decimal("0.5"))
    good, bad = make_scraped("good"), [make_scraped(f"bad{n}", price="5000.00") for n in range(2)]
    assert refusal(make_crawl(good, bad[0]), limits=limits) is None
    assert refusal(make_crawl(good, *bad), limits=limits) is not None


def test_a_book_that_is_absurd_in_two_ways_counts_once() -> None:
    limits = replace(LIMITS, max_absurd_price_share=Decimal("0.5"))
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    crawl = make_crawl(make_scraped("a", price="5000.00"), make_scraped("b"))
    assert refusal(crawl, stored, limits) is None


def test_a_refusal_shows_its_limit_as_it_was_set() -> None:
    limits = replace(LIMITS, max_failed_share=Limit(Decimal("0.005"), "OF_THE_TEST"))
    reason = refusal(a_hundred(99), limits=limits)
    assert reason is not None
    assert "acima do limite de 0.5% (OF_THE_TEST)." in reason


def test_clients_see_an_interrupted_run_as_the_seeds_error() -> None:
    assert {status: status.word for status in RunStatus} == {
        RunStatus.PROCESSING: "processing",
        RunStatus.DONE: "done",
        RunStatus.ERROR: "error",
        RunStatus.CANCELLED: "cancelled",
        RunStatus.INTERRUPTED: "error",
    }
