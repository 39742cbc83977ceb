from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.core.catalogue import Catalogue
from app.core.safety_gate import Limit
from app.core.scraping import CrawlResult, Difference
from app.services.catalogue import CrawlRejected, publish_crawl, publish_demonstration
from app.storage.catalogue import DEMONSTRATION, SCRAPED, load_publication
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from scraper.csv_file import write_books
from tests.support.books import LIMITS, make_crawl, make_scraped

SITE = "https://shop.invalid/"


def publish(database: Database, crawl: CrawlResult, source_url: str = SITE) -> Difference:
    with database.writing() as session:
        return publish_crawl(session, crawl, LIMITS, source_url)[1]


def published(database: Database) -> Catalogue:
    return CatalogueStore(database).current()


def rows(database: Database) -> dict[str, Sequence[Any]]:
    with database.reading() as session:
        return {
            table: session.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
            for table in ("livros", "catalogo")
        }


@pytest.fixture
def demonstration(tmp_path: Path) -> Path:
    path = tmp_path / "demo.csv"
    write_books(path, [make_scraped("demo1"), make_scraped("demo2"), make_scraped("demo3")])
    return path


@pytest.fixture
def ten_books() -> list[Any]:
    return [make_scraped(str(number), price=f"{number + 1}.99") for number in range(10)]


def test_nothing_is_published_at_first(database: Database) -> None:
    with database.reading() as session:
        assert load_publication(session) is None


def test_the_first_crawl_is_version_1(database: Database, ten_books: list[Any]) -> None:
    difference = publish(database, make_crawl(*ten_books))
    catalogue = published(database)
    assert len(difference.added) == len(catalogue) == 10
    assert catalogue.publication.version == 1
    assert (catalogue.publication.origin, catalogue.publication.source_url) == (SCRAPED, SITE)
    assert catalogue.book(9).price_incl_tax == Decimal("10.99")


def test_each_change_is_a_new_version_and_no_change_is_none(database: Database, ten_books: list[Any]) -> None:
    publish(database, make_crawl(*ten_books))
    before = rows(database)
    assert not publish(database, make_crawl(*ten_books))
    assert rows(database) == before
    ten_books[3] = replace(ten_books[3], stock=1)
    publish(database, make_crawl(*ten_books))
    assert published(database).publication.version == 2
    assert published(database).book(3).stock == 1


def test_the_same_books_from_another_address_are_a_new_version(
    database: Database, ten_books: list[Any]
) -> None:
    publish(database, make_crawl(*ten_books))
    publish(database, make_crawl(*ten_books), "https://moved.invalid/")
    assert published(database).publication.version == 2


def test_a_vanished_book_is_not_on_sale_and_comes_back_with_its_id(
    database: Database, ten_books: list[Any]
) -> None:
    publish(database, make_crawl(*ten_books))
    publish(database, make_crawl(*ten_books[:9]))
    assert len(published(database)) == 9
    publish(database, make_crawl(make_scraped("new"), *ten_books[:9]))
    assert published(database).book(10).title == "Book new"
    publish(database, make_crawl(make_scraped("new"), *ten_books))
    assert published(database).book(9).title == "Book 9"
    assert len(published(database)) == 11


def test_books_that_swap_pages_are_written_without_a_clash(database: Database, ten_books: list[Any]) -> None:
    publish(database, make_crawl(*ten_books))
    first, second = ten_books[:2]
    swapped = [replace(first, url=second.url), replace(second, url=first.url), *ten_books[2:]]
    publish(database, make_crawl(*swapped))
    assert {book_id: published(database).book(book_id).title for book_id in (0, 1)} == {
        0: "Book 0",
        1: "Book 1",
    }


@pytest.mark.parametrize("spoil", ["vanished", "absurd", "failed", "nothing", "repeated"])
def test_a_rejected_crawl_leaves_every_row_as_it_was(
    database: Database, ten_books: list[Any], spoil: str
) -> None:
    publish(database, make_crawl(*ten_books))
    before = rows(database)
    crawl = {
        "vanished": make_crawl(*ten_books[:7]),
        "absurd": make_crawl(make_scraped("0", price="5000.00"), *ten_books[1:]),
        "failed": make_crawl(*ten_books[:9], failed=("9",)),
        "nothing": make_crawl(),
        "repeated": make_crawl(*ten_books, make_scraped("10", upc="upc-0")),
    }[spoil]
    with pytest.raises(CrawlRejected):
        publish(database, crawl)
    assert rows(database) == before


def test_a_demonstration_fills_an_empty_shop_once(database: Database, demonstration: Path) -> None:
    assert publish_demonstration(database, demonstration)
    before = rows(database)
    assert published(database).publication.origin == DEMONSTRATION
    assert not publish_demonstration(database, demonstration)
    assert rows(database) == before


def test_a_demonstration_never_replaces_what_was_scraped(
    database: Database, demonstration: Path, ten_books: list[Any]
) -> None:
    publish(database, make_crawl(*ten_books))
    assert not publish_demonstration(database, demonstration)
    assert len(published(database)) == 10


def test_the_first_crawl_replaces_the_demonstration_with_ids_from_0(
    database: Database, demonstration: Path, ten_books: list[Any]
) -> None:
    publish_demonstration(database, demonstration)
    # One of the demonstration's own books: it is replaced like the others, not recognised.
    difference = publish(database, make_crawl(*ten_books[:2], make_scraped("demo1")))
    catalogue = published(database)
    assert [catalogue.book(book_id).title for book_id in range(3)] == ["Book 0", "Book 1", "Book demo1"]
    assert len(rows(database)["livros"]) == 3
    assert (len(difference.added), len(difference.removed)) == (3, 3)
    assert (catalogue.publication.version, catalogue.publication.origin) == (2, SCRAPED)


def test_a_rejected_crawl_leaves_the_demonstration(database: Database, demonstration: Path) -> None:
    publish_demonstration(database, demonstration)
    before = rows(database)
    with pytest.raises(CrawlRejected):
        publish(database, make_crawl(make_scraped("a"), failed=("b",)))
    assert rows(database) == before


def test_pages_are_recognised_after_a_round_through_the_database(database: Database) -> None:
    book = make_scraped("ü", title="“Quotes”\n\ttab 😀", description="d" * 10_000, price="0.29")
    publish(database, make_crawl(book))
    assert not publish(database, make_crawl(book))


def test_absurd_prices_within_the_share_leave_their_books_as_they_were_and_new_ones_out(
    database: Database, ten_books: list[Any]
) -> None:
    publish(database, make_crawl(*ten_books))
    limits = replace(LIMITS, max_absurd_price_share=Limit(Decimal("0.3"), "ANY"))
    free = replace(
        ten_books[3], price_incl_tax=Decimal(0), price_excl_tax=Decimal(0), stock=99, title="Other"
    )
    moved = replace(ten_books[4], price_incl_tax=Decimal("999999999.00"), url=f"{SITE}elsewhere.html")
    new = [make_scraped("new1", price="0.00"), make_scraped("new2", price="7.00")]
    crawl = make_crawl(*ten_books[:3], free, moved, *ten_books[5:], *new)
    with database.writing() as session:
        difference = publish_crawl(session, crawl, limits, SITE)[1]
    assert [(book.id, book.page.upc) for book in difference.added] == [(10, "upc-new2")]
    assert difference == Difference(added=difference.added)
    on_sale = published(database)
    assert [on_sale.book(number).price_incl_tax for number in (3, 4)] == [Decimal("4.99"), Decimal("5.99")]
    assert on_sale.book(3).title == ten_books[3].title
    assert len(on_sale) == 11
    assert sorted(crawl.failed) == sorted(page.url for page in (free, moved, new[0]))
    assert crawl.failed[new[0].url] == "preço absurdo: 'Book new1' a 0.00"
