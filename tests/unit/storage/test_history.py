"""What a publication remembers of the books that it changed, and of those that sales changed before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.core.history import BookChange
from app.core.scraping import Difference
from app.services.catalogue import CrawlRejected, publish_crawl
from app.storage import catalogue, stock
from app.storage.database import Database
from scraper.book import ScrapedBook
from tests.support.books import LIMITS, TRUSTING, make_crawl, make_scraped

SITE = "https://shop.invalid/"
BOOKS = [make_scraped(name) for name in "abcd"]


def publish(database: Database, *books: ScrapedBook) -> int:
    with database.writing() as session:
        return publish_crawl(session, make_crawl(*books), TRUSTING, SITE)[0].version


def publish_demonstration(database: Database, *books: ScrapedBook) -> None:
    with database.writing() as session:
        now, added = datetime.now(UTC), Difference(added=catalogue.as_listed(books))
        catalogue.apply_difference(session, added, now, stock.Reason.BUNDLED)
        catalogue.record_publication(session, now, catalogue.DEMONSTRATION, "", added)


def move(database: Database, book_id: int, copies: int) -> None:
    """Sell `copies` of a book, or give them back where it is negative."""
    with database.writing() as session:
        session.execute(
            text("UPDATE livros SET disponibilidade = disponibilidade - :copies WHERE id = :id"),
            {"copies": copies, "id": book_id},
        )
        stock.record_movements(session, {book_id: -copies}, stock.Reason.RESERVED, datetime.now(UTC))


def rows(database: Database, columns: str, table: str = "livro_historico") -> Sequence[Any]:
    with database.reading() as session:
        return [tuple(row) for row in session.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1, 2"))]


def changes(database: Database, version: int) -> dict[int, BookChange]:
    found = rows(database, "versao, livro_id, mudancas")
    return {book_id: BookChange(flags) for number, book_id, flags in found if number == version}


def states(database: Database, book_id: int) -> list[tuple[int, float, int, bool]]:
    """The remembered versions of a book with its price, stock, and whether it was listed."""
    found = rows(database, "livro_id, versao, preco_com_taxa, disponibilidade, listado")
    return [(row[1], float(row[2]), row[3], bool(row[4])) for row in found if row[0] == book_id]


def test_the_first_publication_adds_every_book(database: Database) -> None:
    publish(database, *BOOKS)
    assert changes(database, 1) == dict.fromkeys(range(4), BookChange.ADDED)
    assert states(database, 2) == [(1, 10.0, 5, True)]
    assert rows(database, "versao, origem, fonte, ultimo_movimento", "publicacao") == [
        (1, "scraping", SITE, 4)
    ]
    with database.reading() as session:
        present = session.execute(text("SELECT publicado_em FROM catalogo")).scalar()
        assert session.execute(text("SELECT publicado_em FROM publicacao")).scalar() == present


def test_a_publication_remembers_only_the_books_that_it_changed_and_how(database: Database) -> None:
    publish(database, *BOOKS)
    a, _, c, d = BOOKS
    publish(database, replace(a, stock=4), make_scraped("b", price="9.99", title="New"), c)
    assert changes(database, 2) == {
        0: BookChange.STOCK,
        1: BookChange.PRICE | BookChange.TEXT,
        3: BookChange.REMOVED,
    }
    publish(
        database, replace(a, stock=4), make_scraped("b", price="9.99", title="New"), c, replace(d, rating=1)
    )
    assert changes(database, 3) == {3: BookChange.RETURNED | BookChange.TEXT}
    assert states(database, 3) == [(1, 10.0, 5, True), (2, 10.0, 5, False), (3, 10.0, 5, True)]


def test_superseded_texts_are_kept_with_the_last_version_that_had_them(database: Database) -> None:
    publish(database, *BOOKS)
    publish(database, replace(BOOKS[0], stock=1), *BOOKS[1:])
    publish(database, replace(BOOKS[0], stock=1, title="New", description="“Ação”"), *BOOKS[1:])
    publish(database, replace(BOOKS[0], stock=1, title="Newest"), *BOOKS[1:])
    kept = rows(
        database, "livro_id, ultima_versao, titulo, descricao, upc, url_produto", "livro_texto_anterior"
    )
    assert kept == [
        (0, 2, "Book a", "", "upc-a", f"{SITE}a.html"),
        (0, 3, "New", "“Ação”", "upc-a", f"{SITE}a.html"),
    ]


def test_what_sales_changed_since_the_publication_before_is_remembered_with_the_next(
    database: Database,
) -> None:
    publish(database, *BOOKS)
    move(database, 0, 2)
    move(database, 1, 1)
    move(database, 1, -1)  # a cancelled order leaves what was published
    move(database, 2, 3)  # and the supplier counts as many as before
    books = [replace(BOOKS[0], stock=3), *BOOKS[1:3], make_scraped("d", price="7.00")]
    publish(database, *books)
    assert changes(database, 2) == {0: BookChange.STOCK, 3: BookChange.PRICE}
    assert states(database, 0)[-1] == (2, 10.0, 3, True)
    assert states(database, 2) == [(1, 10.0, 5, True)]


def test_a_book_that_only_sold_gets_a_row_where_others_changed(database: Database) -> None:
    publish(database, *BOOKS)
    move(database, 0, 2)
    with database.writing() as session:
        crawl = make_crawl(*BOOKS[1:3], make_scraped("d", price="7.00"), failed=("a",))
        publish_crawl(session, crawl, replace(TRUSTING, max_failed_share=TRUSTING.max_vanished_share), SITE)
    assert changes(database, 2) == {0: BookChange.STOCK, 3: BookChange.PRICE}


def test_a_vanished_book_whose_copies_come_back_has_no_more_rows(database: Database) -> None:
    publish(database, *BOOKS)
    publish(database, *BOOKS[:3])
    move(database, 3, -2)
    publish(database, *BOOKS[:2], replace(BOOKS[2], stock=1))
    assert changes(database, 3) == {2: BookChange.STOCK}
    assert len(states(database, 3)) == 2


def test_a_crawl_that_changes_nothing_leaves_no_rows(database: Database) -> None:
    publish(database, *BOOKS)
    move(database, 0, 5)
    move(database, 0, -5)
    assert publish(database, *BOOKS) == 1
    assert [row[0] for row in rows(database, "versao, origem", "publicacao")] == [1]
    assert len(rows(database, "livro_id, versao")) == 4


def test_the_first_crawl_replaces_the_demonstration_and_its_texts_stay(database: Database) -> None:
    publish_demonstration(database, *BOOKS)
    real = [make_scraped("x"), make_scraped("y")]
    publish(database, *real)
    assert changes(database, 1) == dict.fromkeys(range(4), BookChange.ADDED)
    # Like those of the demonstration in price and stock, and yet other books.
    assert changes(database, 2) == {
        0: BookChange.ADDED,
        1: BookChange.ADDED,
        2: BookChange.REMOVED,
        3: BookChange.REMOVED,
    }
    assert states(database, 3)[-1] == (2, 10.0, 5, False)
    kept = rows(database, "livro_id, ultima_versao, titulo", "livro_texto_anterior")
    assert kept == [(place, 1, f"Book {name}") for place, name in enumerate("abcd")]
    publish(database, *real, make_scraped("z"))
    assert changes(database, 3) == {2: BookChange.ADDED}


def test_a_rejected_or_failed_publication_leaves_no_rows(database: Database) -> None:
    publish(database, *BOOKS)
    before = [
        rows(database, "*", table) for table in ("publicacao", "livro_historico", "livro_texto_anterior")
    ]
    with pytest.raises(CrawlRejected), database.writing() as session:
        publish_crawl(session, make_crawl(BOOKS[0]), LIMITS, SITE)
    with pytest.raises(ZeroDivisionError), database.writing() as session:
        publish_crawl(session, make_crawl(*BOOKS[1:], replace(BOOKS[0], title="New")), TRUSTING, SITE)
        raise ZeroDivisionError  # as a crash before the commit
    tables = ("publicacao", "livro_historico", "livro_texto_anterior")
    assert [rows(database, "*", table) for table in tables] == before
