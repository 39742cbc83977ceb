from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.core.catalogue import Catalogue, CatalogueBase, Publication
from app.core.errors import BookNotFound, Unavailable
from app.services.catalogue import publish_crawl
from app.storage import catalogue as catalogue_rows
from app.storage import past_catalogues
from app.storage.book_texts import BookTexts
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.models import BookRow
from app.storage.past import load_past_catalogue
from app.storage.past_catalogues import PastCatalogues
from tests.support.books import TRUSTING, make_crawl, make_scraped

BOOKS = [make_scraped(str(number), description=f"d{number}") for number in range(50)]
VERSIONS = 5


@pytest.fixture
def past(database: Database) -> PastCatalogues:
    """The past of five publications of 50 books, of which each changed the stock of one and the texts of another."""
    books = list(BOOKS)
    for version in range(VERSIONS):
        books[version] = replace(books[version], stock=99)
        books[40] = replace(books[40], title=f"Title {version}", description=f"{version}")
        with database.writing() as session:
            publish_crawl(session, make_crawl(*books), TRUSTING, "https://shop.invalid/")
    return PastCatalogues(database, CatalogueStore(database), BookTexts(database))


@pytest.fixture
def builds(past: PastCatalogues, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that were rebuilt."""
    versions: list[int] = []

    def note(session: Session, publication: Publication, base: CatalogueBase) -> Catalogue:
        versions.append(publication.version)
        return load_past_catalogue(session, publication, base)

    monkeypatch.setattr(past_catalogues, "load_past_catalogue", note)
    return versions


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """The statements executed in the database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_each_version_has_its_stocks_and_its_texts(past: PastCatalogues) -> None:
    for version in range(1, VERSIONS + 1):
        catalogue = past.at(version)
        assert [catalogue.stock(book_id) for book_id in range(VERSIONS)] == [99] * version + [5] * (
            VERSIONS - version
        )
        assert catalogue.book(40).title == f"Title {version - 1}"
        assert (past.book_at(version, 40).book(40), len(catalogue)) == (catalogue.book(40), 50)
    with pytest.raises(BookNotFound):
        past.book_at(1, 50)


def test_books_of_the_past_share_their_texts_with_the_present_ones(
    database: Database, past: PastCatalogues
) -> None:
    store = CatalogueStore(database)
    catalogue = PastCatalogues(database, store, BookTexts(database)).at(1)
    titles, present = catalogue.base.columns.titles, store.current().base.columns.titles
    assert all(title is other for title, other in zip(titles[:40], present[:40], strict=True))


def test_many_threads_that_want_a_version_rebuild_it_once(past: PastCatalogues, builds: list[int]) -> None:
    together = Barrier(8)

    def ask(version: int) -> Catalogue:
        together.wait(10)
        return past.at(version)

    with ThreadPoolExecutor(8) as pool:
        catalogues = [*pool.map(ask, [1, 2] * 4)]
    assert sorted(builds) == [1, 2]
    assert len({id(catalogue) for catalogue in catalogues}) == 2


def test_a_thread_waits_for_others_only_so_long(
    past: PastCatalogues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_catalogues, "BUILT_WITHIN_S", 0.01)
    kept = past.at(1)
    with past._building:
        with pytest.raises(Unavailable):
            past.at(2)
        assert past.at(1) is kept
        assert len(past.book_at(2, 40)) == 1
    assert len(past.at(2)) == 50


def test_the_catalogues_asked_for_last_are_kept_up_to_so_many_books(
    database: Database, past: PastCatalogues, builds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_catalogues, "MAX_BOOKS", 100)
    small = PastCatalogues(database, CatalogueStore(database), BookTexts(database))
    for version in (1, 2, 1, 3, 1, 2):
        small.at(version)
    assert builds == [1, 2, 3, 2]
    monkeypatch.setattr(past_catalogues, "MAX_BOOKS", 10)
    tiny = PastCatalogues(database, CatalogueStore(database), BookTexts(database))
    assert tiny.at(4) is tiny.at(4)


def test_texts_are_read_once_a_version(
    past: PastCatalogues, database: Database, statements: list[str]
) -> None:
    texts = BookTexts(database)
    publications = [past.at(version).publication for version in (1, 5)]
    for publication in (*publications, *publications):
        statements.clear()
        texts.at(40, publication)
    assert statements == []
    assert [texts.at(40, publication).description for publication in publications] == ["0", "4"]


def test_the_texts_of_a_small_catalogue_need_no_database_and_are_those_of_a_large_one(
    past: PastCatalogues, database: Database, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, texts = CatalogueStore(database), BookTexts(database)
    small = store.current()
    statements.clear()
    found = [texts.of(book_id, small) for book_id in range(50)]
    assert statements == []
    for name, most in (
        ("_BOOK_TOO_MANY", select(BookRow.id).offset(49).limit(1)),
        ("MAX_DESCRIPTION_CHARS", 10),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(catalogue_rows, name, most)
            large = CatalogueStore(database).current()
        assert large.base.columns.details == []
        assert [texts.of(book_id, large) for book_id in range(50)] == found
        with pytest.raises(BookNotFound):
            texts.of(50, large)
