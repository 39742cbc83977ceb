from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.core.runs import RunStatus
from app.core.safety_gate import Limit, Limits, publication_blocker
from app.core.scraping import CrawlResult, StoredBook, compare
from scraper.book import ScrapedBook
from tests.support.books import LIMITS, make_crawl, make_scraped, make_stored


def refusal(crawl: CrawlResult, stored: Sequence[StoredBook] = (), limits: Limits = LIMITS) -> str | None:
    on_sale = [book for book in stored if book.listed]
    return publication_blocker(crawl, compare(stored, crawl), on_sale, limits)


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
    assert "https://shop.invalid/a.html e https://shop.invalid/b.html" in reason


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
    limits = replace(LIMITS, max_absurd_price_share=Limit(Decimal("0.5"), "ANY"))
    good, bad = make_scraped("good"), [make_scraped(f"bad{n}", price="5000.00") for n in range(2)]
    assert refusal(make_crawl(good, bad[0]), limits=limits) is None
    assert refusal(make_crawl(good, *bad), limits=limits) is not None


def test_a_book_that_is_absurd_in_two_ways_counts_once() -> None:
    limits = replace(LIMITS, max_absurd_price_share=Limit(Decimal("0.5"), "ANY"))
    stored = [make_stored(0, "a"), make_stored(1, "b")]
    crawl = make_crawl(make_scraped("a", price="5000.00"), make_scraped("b"))
    assert refusal(crawl, stored, limits) is None


def test_absurd_prices_alone_are_no_catalogue() -> None:
    limits = replace(LIMITS, max_absurd_price_share=Limit(Decimal(1), "ANY"))
    assert refusal(make_crawl(make_scraped("bad", price="5000.00")), limits=limits) is not None


def test_a_book_that_returns_is_compared_with_the_price_it_had() -> None:
    stored = [make_stored(0, "a", listed=False, price="10.00"), make_stored(1, "b")]
    assert refusal(make_crawl(make_scraped("a", price="100.00"), make_scraped("b")), stored) is None
    reason = refusal(make_crawl(make_scraped("a", price="100.01"), make_scraped("b")), stored)
    assert reason is not None
    assert "que passou de 10.00 a 100.01" in reason
    assert "SCRAPER_MAX_ABSURD_PRICE_SHARE" in reason


TEN = [make_stored(number, str(number), category=f"Category {number // 2}") for number in range(10)]
"""Ten books in five categories."""


def ten_pages(changed: int, **changes: Any) -> list[ScrapedBook]:
    """The pages of TEN, the first `changed` of them with `changes`."""
    return [replace(book.page, **(changes if book.id < changed else {})) for book in TEN]


def test_categories_that_lose_all_their_books_pass_at_the_limit_and_not_over_it() -> None:
    assert refusal(make_crawl(*ten_pages(2, category="Category 4")), TEN) is None
    generous = replace(LIMITS, max_renamed_share=Limit(Decimal(1), "ANY"))
    reason = refusal(make_crawl(*ten_pages(10, category="Books")), TEN, generous)
    assert reason == (
        "5 de 5 categorias desapareceram, acima do limite de 20% (SCRAPER_MAX_LOST_CATEGORY_SHARE)."
    )


def test_a_category_whose_pages_failed_is_not_lost() -> None:
    crawl = make_crawl(*ten_pages(0)[4:], failed=("0", "1", "2", "3"))
    assert refusal(crawl, TEN, replace(LIMITS, max_failed_share=Limit(Decimal(1), "ANY"))) is None


@pytest.mark.parametrize("changes", [{"title": "Another"}, {"category": "Category 4"}])
def test_books_with_another_title_or_category_pass_at_the_limit_and_not_over_it(
    changes: dict[str, str],
) -> None:
    limits = replace(LIMITS, max_lost_category_share=Limit(Decimal(1), "ANY"))
    assert refusal(make_crawl(*ten_pages(2, **changes)), TEN, limits) is None
    reason = refusal(make_crawl(*ten_pages(3, **changes)), TEN, limits)
    assert reason is not None
    assert reason.startswith("3 de 10 livros mudaram de título ou de categoria")
    assert "SCRAPER_MAX_RENAMED_SHARE" in reason


def test_books_that_are_sold_out_pass_at_the_limit_and_not_over_it() -> None:
    assert refusal(make_crawl(*ten_pages(3, stock=0)), TEN) is None
    reason = refusal(make_crawl(*ten_pages(4, stock=0)), TEN)
    assert reason is not None
    assert reason.startswith("4 de 10 livros disponíveis ficaram sem estoque")
    assert "SCRAPER_MAX_SOLD_OUT_SHARE" in reason


def test_books_that_were_sold_out_before_do_not_count_again() -> None:
    stored = [make_stored(n, str(n), stock=0 if n < 9 else 5) for n in range(10)]
    crawl = make_crawl(*(make_scraped(str(n), stock=0 if n < 9 else 4) for n in range(10)))
    assert refusal(crawl, stored) is None


def test_copies_that_the_shop_itself_has_sold_are_no_loss_of_the_site() -> None:
    crawl = make_crawl(*(book.page for book in TEN))
    difference = compare(TEN, crawl, reserved=dict.fromkeys(range(10), 5))
    assert all(change.after.page.stock == 0 for change in difference.restocked)
    assert publication_blocker(crawl, difference, TEN, LIMITS) is None


def test_a_limit_of_1_for_each_loss_allows_moving_to_another_shop() -> None:
    allowed = Limit(Decimal(1), "ANY")
    limits = replace(LIMITS, max_vanished_share=allowed, max_lost_category_share=allowed)
    elsewhere = make_crawl(*(make_scraped(f"new{n}", category="Elsewhere") for n in range(10)))
    assert refusal(elsewhere, TEN, limits) is None


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
