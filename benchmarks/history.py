"""Publish a catalogue again and again, and compare every past one with what was served then, byte for byte.

    .venv/bin/python -m benchmarks.history [--publications 365] [--books 1000]

Reprices 5 % of the books with each publication, lets some leave and return, and sells some in between, in a scratch
shop. Prints how much its database grew, and how long a book's history and past responses take, each the first time
that it is asked for. Exits with 1 where a response differs or a figure is over its limit.
"""

import argparse
import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import text

from app.factory import create_app
from app.services.catalogue import publish_crawl
from app.shop import Shop
from app.start import prepare
from benchmarks.datasets import SOURCE_URL, make_books
from scraper.book import ScrapedBook
from tests.support.books import TRUSTING, make_crawl
from tests.support.orders import place
from tests.support.shop import make_settings

REPRICED, EDITED, AWAY = 20, 500, 200
"""One book of so many is repriced, edited or not listed in a publication."""
SALES = 3
"""Orders between two publications."""
REQUESTS = 1_000
GROWTH_LIMIT_MB = 20.0
HISTORY_LIMIT_MS = 5.0
PAST_LIMIT_MS = 10.0
COMPARED = (
    "/api/v1/books",
    "/api/v1/books/search",
    "/api/v1/books/top-rated",
    "/api/v1/books/price-range?min=10&max=30",
    "/api/v1/stats/overview",
    "/api/v1/stats/categories",
    "/api/v1/categories",
)


@dataclass(frozen=True, slots=True)
class Report:
    """`different` are the past responses that are not what was served; times are of `REQUESTS` requests each."""

    compared: int
    different: Sequence[str]
    growth_mb: float
    past_ms: Sequence[float]
    history_ms: Sequence[float]
    """Empty where there is no such route."""

    @property
    def holds(self) -> bool:
        return (
            not self.different
            and self.growth_mb <= GROWTH_LIMIT_MB
            and p95(self.past_ms) <= PAST_LIMIT_MS
            and (not self.history_ms or p95(self.history_ms) <= HISTORY_LIMIT_MS)
        )


def p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def remember(folder: Path, publications: int, books: int, requests: int = REQUESTS) -> Report:
    """Publish `publications` catalogues of `books` in a new shop in `folder`, and look back at them."""
    chance = random.Random(0)
    with _open_shop(folder) as (shop, client):
        present = make_books(books)
        _publish(shop, present)
        size = _size_mb(shop)
        served: dict[int, tuple[str, dict[str, str]]] = {}
        for _ in range(publications):
            _change(present, chance)
            away = set(chance.sample(range(books), books // AWAY))
            _publish(shop, [book for number, book in enumerate(present) if number not in away])
            publication = shop.catalogue.refresh().publication
            digests = {path: _digest(client, path) for path in COMPARED}
            served[publication.version] = publication.published_at.isoformat(), digests
            for book_id in chance.sample(range(books), SALES):
                place(client, (book_id, 1))
        growth_mb = _size_mb(shop) - size
        different = [
            f"{path} em={em}"
            for version, (moment, digests) in served.items()
            for path, digest in digests.items()
            for em in (version, moment)
            if _digest(client, _as_of(path, em)) != digest
        ]
    compared = 2 * len(COMPARED) * len(served)
    with _open_shop(folder) as (_, client):  # which keeps nothing yet
        ids = [book["id"] for book in client.get("/api/v1/books").get_json()]
        paths = [*COMPARED, *(f"/api/v1/books/{book_id}" for book_id in chance.sample(ids, len(COMPARED)))]

        def past_path() -> str:
            return _as_of(chance.choice(paths), chance.choice([*served]))

        def history_path() -> str:
            return f"/api/v1/books/{chance.choice(ids)}/history"

        has_history = client.get(history_path()).status_code == 200
        past_ms = _measure(client, past_path, requests)
        history_ms = _measure(client, history_path, requests) if has_history else []
    return Report(compared, different, growth_mb, past_ms, history_ms)


@contextmanager
def _open_shop(folder: Path) -> Iterator[tuple[Shop, FlaskClient]]:
    """Open the shop in `folder`, which keeps no responses: each is made."""
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(make_settings(folder, response_cache_bytes=0))
    prepare(app)
    shop: Shop = app.extensions["shop"]
    try:
        yield shop, app.test_client()
    finally:
        shop.stop()
        shop.database.engine.dispose()


def _publish(shop: Shop, books: Sequence[ScrapedBook]) -> None:
    with shop.database.writing() as session:
        publish_crawl(session, make_crawl(*books), TRUSTING, SOURCE_URL)


def _change(books: list[ScrapedBook], chance: random.Random) -> None:
    for number in chance.sample(range(len(books)), len(books) // REPRICED):
        price = Decimal(chance.randint(1_500, 5_900)) / 100
        books[number] = replace(books[number], price_incl_tax=price, price_excl_tax=price)
    for number in chance.sample(range(len(books)), len(books) // EDITED):
        books[number] = replace(books[number], title=f"{books[number].title}.", stock=chance.randint(1, 30))


def _as_of(path: str, em: int | str) -> str:
    return f"{path}{'&' if '?' in path else '?'}em={str(em).replace('+', '%2B')}"


def _digest(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    return f"{response.status_code} {hashlib.sha256(response.data).hexdigest()}"


def _size_mb(shop: Shop) -> float:
    """Return how much of the database is in use: what is deleted leaves pages for others."""
    with shop.database.reading() as session:
        pages, free, size = (
            session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
    return float((pages - free) * size / 1e6)


def _measure(client: FlaskClient, path: Callable[[], str], requests: int) -> list[float]:
    times = []
    for _ in range(requests):
        url = path()
        began = time.perf_counter()
        status = client.get(url).status_code
        times.append((time.perf_counter() - began) * 1_000)
        assert status in (200, 404), url  # a book may have been away then
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--publications", type=int, default=365)
    parser.add_argument("--books", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = remember(Path(folder), options.publications, options.books)
    history = "no such route"
    if report.history_ms:
        history = f"p95 {p95(report.history_ms):.2f} ms (limit {HISTORY_LIMIT_MS:g})"
    sys.stdout.write(
        f"{options.publications} publications of {options.books} books: {report.compared} past responses, "
        f"{len(report.different)} different\n"
        f"the database grew by {report.growth_mb:.1f} MB (limit {GROWTH_LIMIT_MB:g})\n"
        f"past responses: p95 {p95(report.past_ms):.2f} ms (limit {PAST_LIMIT_MS:g})\n"
        f"a book's history: {history}\n"
    )
    for path in report.different[:20]:
        sys.stdout.write(f"different: {path}\n")
    return int(not report.holds)


if __name__ == "__main__":
    sys.exit(main())
