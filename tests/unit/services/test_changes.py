"""What is retained of the past, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.core.errors import BookNotFound
from app.services.catalogue import publish_crawl
from app.services.changes import Changes
from app.storage import retention
from app.storage.changes import ChangeFilter
from app.storage.database import Database
from app.storage.models import BookHistoryRow, BookRow, PastTextRow, PublicationRow
from tests.support.books import TRUSTING, make_crawl, make_scraped
from tests.support.past import random_catalogues

PUBLICATIONS = 14
Publish = Callable[..., int]
_TEXTS = ("title", "category", "rating", "image_url", "description", "upc", "source_url")


@pytest.fixture
def publish(database: Database) -> Publish:
    """Publishes books as of some days ago, and returns the version."""

    def put_on_sale(books: list[Any], days_ago: float) -> int:
        at = datetime.now(UTC) - timedelta(days=days_ago)
        with database.writing() as session:
            publication, _ = publish_crawl(session, make_crawl(*books), TRUSTING, "https://shop.invalid/")
            of_version = PublicationRow.version == publication.version
            session.execute(update(PublicationRow).where(of_version).values(published_at=at))
        return publication.version

    return put_on_sale


@pytest.fixture
def versions(publish: Publish) -> list[int]:
    """The versions of a shop whose catalogue changed each day, the last time half a day ago."""
    catalogues = random_catalogues(PUBLICATIONS, seed=3)
    return [publish(books, PUBLICATIONS - 0.5 - number) for number, books in enumerate(catalogues)]


def rebuild(database: Database, version: int) -> dict[int, tuple[Any, ...]]:
    """Return the books on sale at a version, by id, from their newest rows that are no newer."""
    with database.reading() as session:
        rows = session.scalars(
            select(BookHistoryRow).where(BookHistoryRow.version <= version).order_by(BookHistoryRow.version)
        )
        states = {row.book_id: row for row in rows}
        past = select(PastTextRow).where(PastTextRow.last_version >= version)
        texts: dict[int, Any] = {row.id: row for row in session.scalars(select(BookRow))}
        texts |= {row.book_id: row for row in session.scalars(past.order_by(PastTextRow.last_version.desc()))}
        return {
            book_id: (
                *(row.price_excl_tax, row.price_incl_tax, row.stock),
                *(getattr(texts[book_id], name) for name in _TEXTS),
            )
            for book_id, row in states.items()
            if row.listed
        }


def rows_of(database: Database, table: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def retained(database: Database) -> list[int]:
    with database.reading() as session:
        return [*session.scalars(select(PublicationRow.version).order_by(PublicationRow.version))]


@pytest.mark.parametrize("days", [1, 2, 5, 13])
def test_every_version_that_is_still_retained_is_rebuilt_unchanged_after_a_purge(
    database: Database, versions: list[int], monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    monkeypatch.setattr(retention, "BATCH_ROWS", 7)
    before = {version: rebuild(database, version) for version in versions}
    texts = rows_of(database, PastTextRow)
    Changes(database, days).purge()
    kept = versions[-days - 1 :]
    assert retained(database) == kept
    assert {version: rebuild(database, version) for version in kept} == {v: before[v] for v in kept}
    assert rows_of(database, PastTextRow) < texts or days == 13


def test_a_purge_leaves_one_older_row_of_a_book_at_most(database: Database, versions: list[int]) -> None:
    Changes(database, 2).purge()
    oldest = retained(database)[0]
    with database.reading() as session:
        older = session.scalars(
            select(func.count()).where(BookHistoryRow.version <= oldest).group_by(BookHistoryRow.book_id)
        )
        assert set(older) == {1}
        assert (session.scalar(select(func.min(PastTextRow.last_version))) or 0) >= oldest


def test_what_is_purged_is_no_longer_listed_and_the_rest_is_as_before(
    database: Database, versions: list[int]
) -> None:
    changes = Changes(database, 3)
    before = changes.changes(ChangeFilter(), 1_000, versions[-1])[0]
    histories = [changes.history(book_id, versions[-1]) for book_id in range(20)]
    changes.purge()
    oldest = versions[-4]
    after = changes.changes(ChangeFilter(), 1_000, versions[-1])[0]
    assert after == [change for change in before if change.version > oldest] != []
    for book_id, history in enumerate(histories):
        now = changes.history(book_id, versions[-1])
        newer = [point for point in history if point.version > oldest]
        assert now[-len(newer) :] == newer or not newer
        older = [point for point in history if point.version <= oldest]
        assert [
            (point.version, point.price_incl_tax, point.stock) for point in now[: -len(newer) or None]
        ] == [(oldest, point.price_incl_tax, point.stock) for point in older[-1:]]


def test_purges_of_several_replicas_at_once_are_one(database: Database, versions: list[int]) -> None:
    before = rebuild(database, versions[-1])
    replicas = [Changes(Database(database.engine), 2) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for purged in [pool.submit(replica.purge) for replica in replicas]:
            purged.result()
    assert retained(database) == versions[-3:]
    assert rebuild(database, versions[-1]) == before
    Changes(database, 2).purge()
    assert retained(database) == versions[-3:]


def test_a_purge_that_died_is_completed_by_a_later_one(database: Database, versions: list[int]) -> None:
    with database.writing() as session:  # what a process that died after its first transaction leaves
        retention.delete_publications(session, versions[-6])
    before = {version: rebuild(database, version) for version in versions[-6:]}
    changes = Changes(database, 3)
    listed = changes.changes(ChangeFilter(), 1_000, versions[-1])[0]
    assert {change.version for change in listed} <= set(versions[-5:])
    changes.purge()
    assert rebuild(database, versions[-1]) == before[versions[-1]]
    with database.reading() as session:
        assert retention.find_unneeded(session, BookHistoryRow, versions[-4], (-1, -1)) == []


def test_the_catalogue_on_sale_is_retained_however_old_it_is(database: Database, publish: Publish) -> None:
    for days_ago in (900, 800, 700):
        version = publish([make_scraped("a", price=f"{days_ago}.00")], days_ago)
    Changes(database, 30).purge()
    assert retained(database) == [version]
    (point,) = Changes(database, 30).history(0, version)
    assert (point.version, point.price_incl_tax) == (version, Decimal(700))


def test_no_limit_keeps_everything(database: Database, versions: list[int]) -> None:
    rows = rows_of(database, BookHistoryRow)
    Changes(database, 0).purge()
    Changes(database, PUBLICATIONS).purge()
    assert retained(database) == versions
    assert rows_of(database, BookHistoryRow) == rows


def test_a_publication_that_a_wrong_clock_dated_far_back_takes_none_with_it(
    database: Database, publish: Publish
) -> None:
    versions = [
        publish([make_scraped("a", price=f"{10 + number}.00")], days_ago)
        for number, days_ago in enumerate((3, 2, 20_000, 1))
    ]
    Changes(database, 30).purge()
    assert retained(database) == versions


def test_a_book_that_was_never_given_has_no_history(database: Database, versions: list[int]) -> None:
    with pytest.raises(BookNotFound):
        Changes(database, 0).history(25, versions[-1])
