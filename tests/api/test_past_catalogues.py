"""`em`: the catalogue as a past publication left it, byte for byte."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.catalogue import Catalogue
from app.core.history import AsOf
from app.services.changes import Changes
from app.shop import Shop
from app.storage.past_catalogues import PastCatalogues
from scraper.book import ScrapedBook
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.books import make_scraped
from tests.support.checks import problem_of
from tests.support.orders import execute, move, place, place_order, query, stock_of
from tests.support.past import date_publication

BOOKS = "/api/v1/books"
ROUTES = (
    BOOKS,
    f"{BOOKS}?page=2&per_page=3&sort=disponibilidade&order=desc",
    f"{BOOKS}?sort=titulo",
    *(f"{BOOKS}/{book_id}" for book_id in range(0, 14, 3)),
    f"{BOOKS}/search?titulo=acao",
    f"{BOOKS}/search?titulo=book&categoria=fiction&per_page=2",
    f"{BOOKS}/search?titulo=nada+disto",
    f"{BOOKS}/price-range?min=5&max=12",
    f"{BOOKS}/top-rated",
    "/api/v1/categories",
    "/api/v1/stats/overview",
    "/api/v1/stats/categories",
)


@dataclass(frozen=True)
class Served:
    """A response without what every response has of its own: its id, and `em` in the links."""

    tag: str | None = field(compare=False)
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def get(cls, client: FlaskClient, path: str, em: object = None) -> Served:
        response = client.get(path if em is None else with_em(path, em))
        if response.status_code == 404:
            return cls(None, 404, (), b"")
        headers = {name: value for name, value in response.headers if name not in ("X-Request-ID", "ETag")}
        if "Link" in headers:
            headers["Link"] = headers["Link"].replace(f"&em={quote(str(em))}", "")
        return cls(
            response.headers["ETag"], response.status_code, tuple(sorted(headers.items())), response.data
        )


def with_em(path: str, em: object) -> str:
    return f"{path}{'&' if '?' in path else '?'}em={em}"


def version_of(app: Flask) -> int:
    shop: Shop = app.extensions["shop"]
    return shop.catalogue.refresh().publication.version


def random_shop(chance: random.Random, books: list[ScrapedBook]) -> list[ScrapedBook]:
    """Change `books`, and return those of them that are on sale."""
    for place_, book in enumerate(books):
        if chance.random() < 0.2:
            pence = chance.randint(400, 1500)
            book = replace(book, price_incl_tax=Decimal(pence) / 100, price_excl_tax=Decimal(pence - 1) / 100)
        if chance.random() < 0.2:
            book = replace(book, stock=chance.randint(0, 30))
        if chance.random() < 0.1:
            title = chance.choice(("Ação", "Book “One”", "Book two", "A Light"))
            book = replace(book, title=title, rating=chance.randint(1, 5), description=f"d {chance.random()}")
        if chance.random() < 0.05:
            book = replace(book, category=chance.choice(("Fiction", "Poetry", "Science Fiction")))
        books[place_] = book
    if len(books) < 14 and chance.random() < 0.4:
        books.append(make_scraped(f"n{len(books)}", category=chance.choice(("Fiction", "Travel"))))
    return [book for book in books if chance.random() < 0.85]


def sell(client: FlaskClient, chance: random.Random, orders: list[str]) -> None:
    """Sell some copies, and cancel an order now and then."""
    on_sale = [book["id"] for book in client.get(BOOKS).get_json() if book["disponibilidade"] > 0]
    for book_id in chance.sample(on_sale, min(3, len(on_sale))):
        response = place(client, (book_id, 1))
        if response.status_code == 201:
            orders.append(response.get_json()["order_id"])
    if orders and chance.random() < 0.5:
        move(client, orders.pop(chance.randrange(len(orders))), "cancelled")


def test_every_response_after_a_publication_can_be_had_again_by_its_version_and_its_time(
    make_app: Callable[..., Flask],
) -> None:
    app, chance = make_app(), random.Random(13)
    shop: Shop = app.extensions["shop"]
    client, orders = FlaskClient(app), list[str]()  # so many responses are not compared with the document
    books = [*SIX_BOOKS, *(make_scraped(f"b{number}") for number in range(4))]
    saved: dict[int, dict[str, Served]] = {}
    times: dict[int, str] = {}
    for _ in range(30):
        publish(app, random_shop(chance, books))
        publication = shop.catalogue.current().publication
        if publication.version not in saved:
            saved[publication.version] = {path: Served.get(client, path) for path in ROUTES}
            times[publication.version] = f"{publication.published_at:%Y-%m-%dT%H:%M:%S.%fZ}"
        sell(client, chance, orders)
    assert len(saved) > 20
    replica = FlaskClient(make_app())
    tags: dict[int, set[str]] = {version: set() for version in saved}
    for version, served in saved.items():
        for path, response in served.items():
            for asked, em in ((client, version), (client, times[version]), (replica, version)):
                past = Served.get(asked, path, em)
                assert past == response, (path, em)
                tags[version] |= {past.tag} if past.tag else set()
    assert all(len(tag) == 1 for tag in tags.values())
    assert len(set.union(*tags.values())) == len(tags)


def test_the_demonstration_can_be_had_again_after_the_first_scrape(client: FlaskClient, app: Flask) -> None:
    paths = (BOOKS, f"{BOOKS}/0", f"{BOOKS}/999", f"{BOOKS}/search?titulo=a", "/api/v1/stats/categories")
    before = [Served.get(client, path) for path in paths]
    publish(app, SIX_BOOKS)
    assert [Served.get(client, path, 1) for path in paths] == before
    assert client.get(f"{BOOKS}/999?em=2").status_code == 404


def test_a_sale_after_the_publication_does_not_change_the_past(
    client: FlaskClient, six_books: None, app: Flask
) -> None:
    version = version_of(app)
    first = client.get(f"{BOOKS}/0?em={version}")
    place_order(client, (0, 2))
    assert stock_of(client, 0) == 20
    again = client.get(f"{BOOKS}/0?em={version}")
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert again.get_json()["disponibilidade"] == 22
    assert client.get(f"{BOOKS}?em={version}").get_json()[0]["disponibilidade"] == 22


def test_a_client_that_has_a_past_response_gets_304(client: FlaskClient, six_books: None, app: Flask) -> None:
    for path in (BOOKS, f"{BOOKS}/0", "/api/v1/stats/overview"):
        tag = client.get(with_em(path, version_of(app))).headers["ETag"]
        for _ in range(2):
            again = client.get(with_em(path, version_of(app)), headers={"If-None-Match": tag})
            assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


def test_pages_of_the_past_lead_to_pages_of_the_past(
    client: FlaskClient, six_books: None, app: Flask
) -> None:
    version = version_of(app)
    link = client.get(f"{BOOKS}?per_page=2&em={version}").headers["Link"]
    assert link.count(f"em={version}") == link.count("<")


@pytest.fixture
def dated(client: FlaskClient, app: Flask, six_books: None) -> Callable[[str], int]:
    """Tells which version a value of `em` means: 1 is of 2026-01-10T23:59:59.999, 2 of 2026-01-12T08:00:00.123456."""
    shop: Shop = app.extensions["shop"]
    for version, at in (
        (1, datetime(2026, 1, 10, 23, 59, 59, 999_999, tzinfo=UTC)),
        (2, datetime(2026, 1, 12, 8, 0, 0, 123_456, tzinfo=UTC)),
    ):
        execute(
            shop, "UPDATE publicacao SET publicado_em = :at WHERE versao = :version", at=at, version=version
        )
    execute(
        shop, "UPDATE catalogo SET publicado_em = :at", at=datetime(2026, 1, 12, 8, 0, 0, 123_456, tzinfo=UTC)
    )
    shop.catalogue.refresh()

    def version_at(em: str) -> int:
        response = client.get(f"{BOOKS}/0", query_string={"em": em})
        if response.status_code == 404:
            return 0
        assert response.status_code == 200, response.text
        return int(response.headers["ETag"].removeprefix('W/"').partition(".")[0])

    return version_at


@pytest.mark.parametrize(
    ("em", "version"),
    [
        ("2026-01-09", 0),
        ("2026-01-10", 1),
        ("2026-01-11", 1),
        ("2026-01-12", 2),
        ("2026-01-10T23:59:59.998Z", 0),
        ("2026-01-10T23:59:59.999Z", 1),
        ("2026-01-12T08:00:00.122Z", 1),
        ("2026-01-12T08:00:00.123Z", 2),
        ("2026-01-12T08:00:00.123456", 2),
        ("2026-01-12T05:00:00-03:00", 1),
        ("2026-01-12T05:00:01-03:00", 2),
        ("1970-01-01", 0),
        ("0", 0),
        ("1", 1),
        ("002", 2),
        ("3", 0),
        ("2147483647", 0),
    ],
)
def test_a_date_means_its_end_in_utc_and_a_time_its_millisecond(
    dated: Callable[[str], int], em: str, version: int
) -> None:
    assert dated(em) == version


def test_today_means_now(dated: Callable[[str], int], client: FlaskClient) -> None:
    assert dated(f"{datetime.now(UTC):%Y-%m-%d}") == 2
    assert dated(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}") == 2


@pytest.mark.parametrize(
    "path", [path for path in ROUTES if path.endswith(("books", "0", "min=5&max=12", "overview"))]
)
@pytest.mark.parametrize(
    "em", ["", "x", "-1", "1.0", "2026-13-01", "2026-01", "20260101T00", "2147483648", "9" * 30, "²"]
)
def test_what_is_neither_version_nor_moment_is_refused(reader: FlaskClient, path: str, em: str) -> None:
    problem = problem_of(reader.get(with_em(path, em)), 400)
    assert [error["field"] for error in problem["errors"]] == ["em"]


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(seconds=30), timedelta(days=40_000)])
def test_the_future_is_refused(reader: FlaskClient, later: timedelta) -> None:
    time = datetime.now(UTC) + later
    forms = [f"{time:%Y-%m-%dT%H:%M:%SZ}", *([f"{time:%Y-%m-%d}"] if later.days else [])]
    for em in forms:
        problem = problem_of(reader.get(f"{BOOKS}?em={em}"), 400)
        assert problem["errors"] == [{"field": "em", "message": "não pode estar no futuro"}]


def test_what_is_not_retained_is_404_and_says_what_is(
    client: FlaskClient, app: Flask, six_books: None
) -> None:
    shop: Shop = app.extensions["shop"]
    at = datetime(2026, 1, 12, 8, tzinfo=UTC)
    execute(shop, "DELETE FROM publicacao WHERE versao = 1")
    execute(shop, "UPDATE publicacao SET publicado_em = :at", at=at)
    for em in ("1", "3", "2026-01-11"):
        for path in (BOOKS, f"{BOOKS}/0", "/api/v1/categories"):
            problem = problem_of(client.get(with_em(path, em)), 404)
            assert problem["detail"] == (
                "Não há catálogo guardado para este valor de em: há o da versão 2 (publicada em "
                "2026-01-12T08:00:00.000Z)."
            )


def test_a_book_that_was_not_listed_then_is_404(client: FlaskClient, app: Flask, six_books: None) -> None:
    publish(app, SIX_BOOKS[:5])
    publish(app, [*SIX_BOOKS[:5], make_scraped("new")])
    found = {
        (book_id, version): client.get(f"{BOOKS}/{book_id}?em={version}").status_code
        for book_id in (5, 6)
        for version in (2, 3, 4)
    }
    assert found == {(5, 2): 200, (5, 3): 404, (5, 4): 404, (6, 2): 404, (6, 3): 404, (6, 4): 200}
    for book_id in ("7", "99999999999999999999999"):
        assert problem_of(client.get(f"{BOOKS}/{book_id}?em=2"), 404)["detail"] == "Livro não encontrado."


def test_other_routes_have_no_past(reader: FlaskClient) -> None:
    for path in ("/api/v1/ml/features", "/health"):
        assert [error["field"] for error in problem_of(reader.get(f"{path}?em=1"), 400)["errors"]] == ["em"]


def test_a_past_response_is_kept_and_a_moment_that_may_still_change_is_not(
    client: FlaskClient, app: Flask, six_books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    at = PastCatalogues.at

    def count(catalogues: PastCatalogues, as_of: AsOf) -> Catalogue:
        asked.append(as_of)
        return at(catalogues, as_of)

    monkeypatch.setattr(PastCatalogues, "at", count)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    for em in ("1", "1", now, now):
        assert client.get(f"{BOOKS}?em={em}").status_code == 200
    assert len(asked) == 3


def test_a_new_publication_leaves_past_responses_as_they_are(
    client: FlaskClient, app: Flask, six_books: None
) -> None:
    present = client.get(BOOKS)
    old = client.get(f"{BOOKS}?em=2")
    publish(app, SIX_BOOKS[:4])
    assert len(client.get(BOOKS).get_json()) == 4
    assert client.get(f"{BOOKS}?em=2").data == old.data == present.data


def test_what_a_purge_retains_is_served_as_before(
    client: FlaskClient, app: Flask, make_app: Callable[..., Flask]
) -> None:
    shop: Shop = app.extensions["shop"]
    chance = random.Random(5)
    days = [datetime.now(UTC) - timedelta(days=days) for days in range(8, 0, -1)]
    date_publication(shop, days[0])
    books, versions = list(SIX_BOOKS), []
    for day in days:
        publish(app, random_shop(chance, books))
        versions.append(date_publication(shop, day))
        place(client, (client.get(BOOKS).get_json()[0]["id"], 1))
    paths = [with_em(path, version) for version in versions[-4:] for path in ROUTES]
    before = [Served.get(client, path) for path in paths]
    Changes(shop.database, 4).purge()
    fresh = make_app().test_client()
    assert [Served.get(fresh, path) for path in paths] == before
    for version in versions[:-4]:
        problem_of(fresh.get(f"{BOOKS}?em={version}"), 404)


def test_the_detail_has_the_texts_of_its_own_version(client: FlaskClient, app: Flask) -> None:
    for text in ("one", "two", "three"):
        publish(app, [replace(SIX_BOOKS[0], description=text, upc=f"upc-{text}"), *SIX_BOOKS[1:]])
    shop: Shop = app.extensions["shop"]
    assert query(shop, "SELECT descricao FROM livros WHERE id = 0") == [("three",)]
    for version, text in ((2, "one"), (3, "two"), (4, "three")):
        book = client.get(f"{BOOKS}/0?em={version}").get_json()
        assert (book["descricao"], book["upc"]) == (text, f"upc-{text}")
    present = client.get(f"{BOOKS}/0").get_json()
    assert list(present)[-4:] == ["url_imagem", "descricao", "upc", "url_produto"]
    assert present["url_produto"] == "https://shop.invalid/light.html"
    assert list(client.get(f"{BOOKS}/search").get_json()[0])[-1] == "url_imagem"


def test_a_process_that_has_not_seen_the_newest_publication_shows_the_texts_of_its_own(
    make_app: Callable[..., Flask],
) -> None:
    app, late = make_app(), make_app(check_every_s=1e9)
    publish(app, SIX_BOOKS)
    late.extensions["shop"].catalogue.refresh()
    publish(app, [replace(SIX_BOOKS[0], description="new"), *SIX_BOOKS[1:]])
    old, new = (process.test_client().get(f"{BOOKS}/0") for process in (late, app))
    assert (old.get_json()["descricao"], new.get_json()["descricao"]) == ("", "new")
    assert old.headers["ETag"] != new.headers["ETag"]
    # The past of what it has not seen it can show all the same.
    assert late.test_client().get(f"{BOOKS}?em=3").data == app.test_client().get(f"{BOOKS}?em=3").data
