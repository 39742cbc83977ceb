from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.checks import fields_of, problem_of
from tests.support.orders import (
    API_KEY,
    ORDERS,
    execute,
    get_order,
    get_orders,
    move,
    place,
    place_order,
    query,
)


@pytest.fixture
def five(app: Flask, client: FlaskClient, shop: Shop) -> list[str]:
    """Return the ids of five orders, placed at noon of 1 to 5 January; ana's on odd days, rui's on the others."""
    publish(app, SIX_BOOKS)
    order_ids = []
    for day in range(1, 6):
        order_id = place_order(client, (0, day), customer_id="ana" if day % 2 else "rui")["order_id"]
        at = datetime(2026, 1, day, 12, tzinfo=UTC)
        execute(shop, "UPDATE pedido SET criado_em = :at WHERE id = :id", at=at, id=order_id)
        order_ids.append(order_id)
    return order_ids


def days(client: FlaskClient, five: list[str], query: str = "") -> list[int]:
    """Return the days of the orders on a page."""
    response = client.get(f"{ORDERS}?{query}", headers=API_KEY)
    assert response.status_code == 200, response.get_data(as_text=True)
    return [five.index(order["order_id"]) + 1 for order in response.get_json()["orders"]]


def test_a_shop_without_orders_lists_none(client: FlaskClient) -> None:
    response = client.get(ORDERS, headers=API_KEY)
    assert response.get_json() == {"success": True, "orders": []}
    assert response.headers["X-Total-Count"] == "0"


def test_the_newest_order_is_first(client: FlaskClient, five: list[str]) -> None:
    assert days(client, five) == [5, 4, 3, 2, 1]


def test_orders_of_one_moment_keep_one_order(client: FlaskClient, shop: Shop, five: list[str]) -> None:
    execute(shop, "UPDATE pedido SET criado_em = '2026-01-01 12:00:00.000000'")
    pages = [get_orders(client, per_page=1, page=page)[0]["order_id"] for page in range(1, 6)]
    assert pages == sorted(five)


def test_an_order_is_listed_as_it_is_shown_without_its_history(client: FlaskClient, five: list[str]) -> None:
    order = get_order(client, five[4])
    del order["history"]
    assert get_orders(client)[0] == order


def test_orders_that_were_not_paid_are_listed_too(client: FlaskClient, five: list[str]) -> None:
    problem_of(place(client, (0, 1), token="tok_denied"), 402)
    assert [order["status"] for order in get_orders(client)][:2] == ["payment_denied", "pending"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("customer_id=ana", [5, 3, 1]),
        ("customer_id=Ana", []),
        ("customer_id=an", []),
        ("customer_id=%25", []),
        ("status=pending", [5, 4, 3, 2, 1]),
        ("status=delivered", []),
        ("since=2026-01-03", [5, 4, 3]),
        ("until=2026-01-03", [2, 1]),
        ("since=2026-01-02&until=2026-01-04", [3, 2]),
        ("since=2026-01-03T12:00:00Z", [5, 4, 3]),
        ("since=2026-01-03T12:00:00.001Z", [5, 4]),
        ("until=2026-01-03T12:00:00Z", [2, 1]),
        ("until=2026-01-03T12:00:00.001Z", [3, 2, 1]),
        ("since=2026-01-03T12:00:00%2B02:00", [5, 4, 3]),
        ("since=2026-01-03T10:00:01-02:00", [5, 4]),
        ("since=2026-01-03T14:00:01+02:00", [5, 4]),
        ("since=2026-01-04&customer_id=ana", [5]),
        ("since=0001-01-01&until=9999-12-31", [5, 4, 3, 2, 1]),
        ("since=0001-01-01T00:00:00%2B23:00&until=9999-12-31T23:59:59-23:00", [5, 4, 3, 2, 1]),
    ],
)
def test_orders_are_filtered(client: FlaskClient, five: list[str], query: str, expected: list[int]) -> None:
    assert days(client, five, query) == expected


@pytest.mark.parametrize(
    "status", ["awaiting_payment", "pending", "processed", "shipped", "cancelled", "payment_denied", "failed"]
)
def test_each_status_can_be_asked_for(client: FlaskClient, shop: Shop, five: list[str], status: str) -> None:
    if status in ("processed", "shipped", "cancelled"):
        move(client, five[2], status)
    else:
        execute(shop, "UPDATE pedido SET status = 'delivered'")
        execute(shop, "UPDATE pedido SET status = :status WHERE id = :id", status=status, id=five[2])
    assert days(client, five, f"status={status}") == [3]


def test_the_time_an_order_shows_finds_it_again(client: FlaskClient, five: list[str]) -> None:
    at = place_order(client)["created_at"]
    assert len(get_orders(client, since=at)) == 1
    assert len(get_orders(client, until=at)) == 5


@pytest.mark.parametrize(
    ("query", "expected", "pages"),
    [
        ("per_page=2", [5, 4], {"first": 1, "next": 2, "last": 3}),
        ("per_page=2&page=2", [3, 2], {"first": 1, "prev": 1, "next": 3, "last": 3}),
        ("per_page=2&page=3", [1], {"first": 1, "prev": 2, "last": 3}),
        ("per_page=2&page=9", [], {"first": 1, "prev": 3, "last": 3}),
        ("", [5, 4, 3, 2, 1], {"first": 1, "last": 1}),
        ("per_page=1000&page=1000000", [], {"first": 1, "prev": 1, "last": 1}),
    ],
)
def test_orders_come_in_pages(
    client: FlaskClient, five: list[str], query: str, expected: list[int], pages: dict[str, int]
) -> None:
    assert days(client, five, query) == expected
    response = client.get(f"{ORDERS}?{query}", headers=API_KEY)
    assert response.headers["X-Total-Count"] == "5"
    links = re.findall(r'<([^>]*[?&]page=(\d+)[^>]*)>; rel="(\w+)"', response.headers["Link"])
    assert {name: int(page) for _, page, name in links} == pages


def test_twenty_orders_make_a_page_if_nothing_is_said(
    client: FlaskClient, shop: Shop, five: list[str]
) -> None:
    execute(
        shop,
        "INSERT INTO pedido SELECT substr(pedido.id, 1, 30) || '-' || livros.id, cliente, status, "
        "pagamento_status, total, observacoes, criado_em, atualizado_em, versao, dono FROM pedido, livros "
        "WHERE livros.id < 4",
    )
    response = client.get(ORDERS, headers=API_KEY)
    assert len(response.get_json()["orders"]) == 20
    assert response.headers["X-Total-Count"] == "25"
    assert 'page=2&per_page=20>; rel="next"' in response.headers["Link"]


def test_the_links_keep_the_filters_and_can_be_followed(client: FlaskClient, five: list[str]) -> None:
    response = client.get(f"{ORDERS}?customer_id=ana&per_page=2&since=2026-01-01", headers=API_KEY)
    assert response.headers["X-Total-Count"] == "3"
    following = re.search(r'<([^>]+)>; rel="next"', response.headers["Link"])
    assert following is not None
    rest = client.get(following[1], headers=API_KEY).get_json()["orders"]
    assert [order["order_id"] for order in rest] == [five[0]]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("status=enviado", {"status"}),
        ("status=", {"status"}),
        ("status=PENDING", {"status"}),
        ("customer_id=", {"customer_id"}),
        ("customer_id=" + "x" * 101, {"customer_id"}),
        ("customer_id=a%00b", {"customer_id"}),
        ("since=", {"since"}),
        ("since=ontem", {"since"}),
        ("since=2026-01-04&until=2026-01-02", {"since"}),
        ("since=2026-13-01", {"since"}),
        ("since=2026-02-30", {"since"}),
        ("until=2026-01-01T25:00:00Z", {"until"}),
        ("foo=bar&foo=baz", {"foo"}),
        ("since=1767225600", {"since"}),
        ("since=٢٠٢٦-٠١-٠١", {"since"}),
        ("page=0", {"page"}),
        ("page=-1", {"page"}),
        ("page=x", {"page"}),
        ("page=1000001", {"page"}),
        ("per_page=1001", {"per_page"}),
        ("per_page=1.0", {"per_page"}),
        ("status=pending&status=shipped", {"status"}),
        ("since=x&until=y&page=0&status=z", {"since", "until", "page", "status"}),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_by_name(
    reader: FlaskClient, query: str, fields: set[str]
) -> None:
    assert fields_of(reader.get(f"{ORDERS}?{query}", headers=API_KEY)) == fields


@pytest.mark.parametrize("query", ["", "?page=0", "?status=x"])
def test_the_list_needs_the_key_before_anything_else(reader: FlaskClient, query: str) -> None:
    problem_of(reader.get(f"{ORDERS}{query}"), 401)


def walk(client: FlaskClient, query: str, between: Callable[[], object] = lambda: None) -> list[str]:
    """Return the ids on all pages by cursor; `between` is called before each but the first."""
    found: list[str] = []
    url: str | None = f"{ORDERS}?{query}"
    while url is not None:
        response = client.get(url, headers=API_KEY)
        assert response.status_code == 200, response.text
        found += [order["order_id"] for order in response.get_json()["orders"]]
        link = re.fullmatch(r'<([^>]*)>; rel="next"', response.headers.get("Link", ""))
        url = link and link[1]
        between()
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_a_walk_by_cursor_meets_every_order_once(client: FlaskClient, five: list[str], limit: int) -> None:
    assert walk(client, f"limit={limit}") == five[::-1]


def test_a_walk_by_cursor_keeps_the_filters(client: FlaskClient, five: list[str]) -> None:
    assert walk(client, "limit=1&customer_id=ana&since=2026-01-02") == [five[4], five[2]]


def test_orders_that_arrive_between_two_pages_neither_repeat_nor_hide_others(
    client: FlaskClient, shop: Shop, five: list[str]
) -> None:
    assert walk(client, "limit=2", between=lambda: place_order(client)) == five[::-1]
    execute(shop, "UPDATE pedido SET criado_em = '2026-01-01 12:00:00.000000'")
    assert walk(client, "limit=2") == sorted(row[0] for row in query(shop, "SELECT id FROM pedido"))


def test_a_cursor_outlives_its_order(client: FlaskClient, shop: Shop, five: list[str]) -> None:
    link = client.get(f"{ORDERS}?limit=2", headers=API_KEY).headers["Link"]
    execute(shop, "UPDATE pedido SET criado_em = '2026-02-01 12:00:00' WHERE id = :id", id=five[3])
    response = client.get(link[1 : link.index(">")], headers=API_KEY)
    assert [order["order_id"] for order in response.get_json()["orders"]] == [five[2], five[1]]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "1.2",
        "1767225600000000.",
        ".ORDER-AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "-1.ORDER-AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "1e3.ORDER-AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "999999999999999999.ORDER-AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "1767225600000000.ORDER-AAAAAAAAAAAAAAAAAAAAAAAAAA'--",
        "١.ORDER-AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "a%00b",
        "x" * 101,
    ],
)
def test_a_forged_cursor_is_refused(reader: FlaskClient, cursor: str) -> None:
    assert fields_of(reader.get(f"{ORDERS}?cursor={cursor}", headers=API_KEY)) == {"cursor"}


@pytest.mark.parametrize("query", ["limit=2&page=1", "limit=2&per_page=2"])
def test_a_walk_by_cursor_has_no_page_numbers(reader: FlaskClient, query: str) -> None:
    assert fields_of(reader.get(f"{ORDERS}?{query}", headers=API_KEY)) == {"limit"}
