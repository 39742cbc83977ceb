from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from app.simulation.faults import SimulationSettings
from tests.support.checks import problem_of
from tests.support.orders import (
    API_KEY,
    ORDERS,
    get_order,
    get_orders,
    move,
    patch,
    place,
    place_order,
    query,
    stock_of,
    traces,
    wait_until,
)

SIMULATION = "/api/v1/simulation"
OFF = {
    "taxa_pagamento_negado": 0.0,
    "taxa_erro_pagamento": 0.0,
    "latencia_pagamento_ms": 0,
    "taxa_falha_estoque": 0.0,
    "taxa_erro_interno": 0.0,
    "taxa_lentidao": 0.0,
    "lentidao_ms": 2_000,
    "semente": None,
}
RATES = [name for name in OFF if name.startswith("taxa_")]


@pytest.fixture
def set_simulation(client: FlaskClient, as_admin: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Set the simulation as an admin; settings that are not named are off."""

    def set_rates(**settings: Any) -> dict[str, Any]:
        response = client.put(SIMULATION, json=settings, headers=as_admin)
        assert response.status_code == 200, response.get_data(as_text=True)
        body: dict[str, Any] = response.get_json()
        return body

    return set_rates


def buy(client: FlaskClient) -> Any:
    """Place an order without a card, so that chance decides."""
    return client.post(
        ORDERS, json={"customer_id": "c", "items": [{"product_id": 0, "quantity": 1}]}, headers=API_KEY
    )


def test_everything_is_off_at_first(client: FlaskClient, as_admin: dict[str, str]) -> None:
    assert client.get(SIMULATION, headers=as_admin).get_json() == OFF


def test_what_is_set_is_shown_and_what_is_not_sent_is_off(
    client: FlaskClient, as_admin: dict[str, str], set_simulation: Callable[..., dict[str, Any]]
) -> None:
    settings = dict.fromkeys(RATES, 0.25) | {"latencia_pagamento_ms": 7, "lentidao_ms": 9, "semente": 3}
    assert set_simulation(**settings) == settings
    assert client.get(SIMULATION, headers=as_admin).get_json() == settings
    assert set_simulation(taxa_lentidao=1) == OFF | {"taxa_lentidao": 1.0}
    assert set_simulation() == OFF


def test_the_environments_settings_hold_until_an_admin_sets_others(make_app: Callable[..., Flask]) -> None:
    app = make_app(simulation_payment_denied_rate=Decimal(1), simulation_slow_ms=3, simulation_seed=8)
    settings = app.extensions["shop"].simulation.settings()
    assert (settings.payment_denied_rate, settings.slow_ms, settings.seed) == (1.0, 3, 8)
    problem_of(buy(app.test_client()), 402)


@pytest.mark.parametrize(
    ("rate_name", "status", "error_type"),
    [
        ("taxa_pagamento_negado", 402, "payment_denied_simulated"),
        ("taxa_erro_pagamento", 502, "payment_gateway_error"),
        ("taxa_falha_estoque", 409, "insufficient_stock"),
        ("taxa_erro_interno", 500, "internal_server_error"),
    ],
)
def test_a_rate_of_1_always_fails_and_leaves_the_stock_alone(
    client: FlaskClient,
    set_simulation: Callable[..., dict[str, Any]],
    rate_name: str,
    status: int,
    error_type: str,
) -> None:
    before = stock_of(client, 0)
    set_simulation(**{rate_name: 1})
    for _ in range(3):
        assert problem_of(buy(client), status)["error_type"] == error_type
    assert stock_of(client, 0) == before
    set_simulation(**{rate_name: 0})
    assert buy(client).status_code == 201


@pytest.mark.parametrize("rate_name", ["taxa_falha_estoque", "taxa_erro_interno"])
def test_trouble_before_the_order_leaves_no_trace_of_it(
    client: FlaskClient, shop: Shop, set_simulation: Callable[..., dict[str, Any]], rate_name: str
) -> None:
    set_simulation(**{rate_name: 1})
    before = traces(shop)
    assert buy(client).status_code in (409, 500)
    assert traces(shop) == before


def test_an_internal_error_also_hits_the_change_of_an_order(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]]
) -> None:
    order_id = place_order(client)["order_id"]
    set_simulation(taxa_erro_interno=1)
    problem_of(move(client, order_id, "shipped"), 500)
    problem_of(patch(client, order_id, {"notes": "x"}), 500)
    assert get_order(client, order_id)["version"] == 2
    assert len(get_orders(client)) == 1


def test_stock_and_payment_trouble_leave_changes_alone(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]]
) -> None:
    order_id = place_order(client)["order_id"]
    set_simulation(taxa_falha_estoque=1, taxa_erro_pagamento=1, taxa_pagamento_negado=1)
    assert move(client, order_id, "shipped").status_code == 200


def test_slowness_makes_orders_wait(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]]
) -> None:
    set_simulation(taxa_lentidao=1, lentidao_ms=150)
    for request in (lambda: place_order(client), lambda: move(client, "ORDER-0", "shipped")):
        began = time.monotonic()
        request()
        assert time.monotonic() - began >= 0.15


def test_slowness_at_0_never_waits(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]]
) -> None:
    set_simulation(taxa_lentidao=0, lentidao_ms=60_000)
    began = time.monotonic()
    place_order(client)
    assert time.monotonic() - began < 30


def test_a_slow_payment_is_waited_for(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]]
) -> None:
    set_simulation(latencia_pagamento_ms=150)
    began = time.monotonic()
    place_order(client)
    assert time.monotonic() - began >= 0.15


def test_a_payment_slower_than_the_shop_waits_is_504_and_given_back(
    make_app: Callable[..., Flask], set_simulation: Callable[..., dict[str, Any]]
) -> None:
    set_simulation(latencia_pagamento_ms=300)
    app = make_app(payment_timeout_s=Decimal("0.1"))
    shop: Shop = app.extensions["shop"]
    problem_of(buy(app.test_client()), 504)
    for thread in threading.enumerate():
        if thread.name.startswith("payment-"):
            thread.join(20)
    assert query(shop, "SELECT resultado FROM pagamento_simulado") == [("approved",)]
    set_simulation()
    shop.orders.reconcile()
    assert query(shop, "SELECT resultado FROM pagamento_simulado") == [("voided",)]
    assert query(shop, "SELECT status, pagamento_status FROM pedido") == [("failed", "voided")]


@pytest.mark.parametrize(
    ("token", "status"), [("tok_approved", 201), ("tok_denied", 402), ("tok_error", 502)]
)
def test_a_test_card_decides_at_any_rate(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]], token: str, status: int
) -> None:
    set_simulation(taxa_pagamento_negado=1, taxa_erro_pagamento=1 if token == "tok_approved" else 0)
    assert place(client, (0, 1), token=token).status_code == status


def test_the_same_seed_repeats_the_same_chances(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]]
) -> None:
    def draw(seed: int) -> list[int]:
        set_simulation(taxa_falha_estoque=0.5, semente=seed)
        return [place(client, (99_999, 1)).status_code for _ in range(16)]

    first = draw(7)
    assert set(first) == {404, 409}
    assert draw(7) == first
    assert draw(8) != first


def test_each_fault_draws_its_own_chances(shop: Shop, set_simulation: Callable[..., dict[str, Any]]) -> None:
    set_simulation(semente=7, taxa_lentidao=0.5, taxa_erro_interno=0.5)
    alone = [shop.simulation.should_fail("slow") for _ in range(20)]
    set_simulation(semente=7, taxa_lentidao=0.5, taxa_erro_interno=0.5)
    beside = []
    for _ in range(20):
        shop.simulation.should_fail("internal_error")
        beside.append(shop.simulation.should_fail("slow"))
    assert beside == alone


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_rate_of_0_or_1_leaves_nothing_to_chance(shop: Shop, rate: float) -> None:
    shop.simulation.set(SimulationSettings(slow_rate=rate))
    assert {shop.simulation.should_fail("slow") for _ in range(1_000)} == {rate == 1.0}


def test_another_process_sees_the_fault_within_a_second(
    make_app: Callable[..., Flask], set_simulation: Callable[..., dict[str, Any]]
) -> None:
    other: Shop = make_app().extensions["shop"]
    assert other.simulation.settings().stock_failure_rate == 0
    set_simulation(taxa_falha_estoque=1)
    began = time.monotonic()
    wait_until(lambda: other.simulation.settings().stock_failure_rate == 1)
    assert time.monotonic() - began < 1


def test_what_was_set_outlives_the_process(
    make_app: Callable[..., Flask], set_simulation: Callable[..., dict[str, Any]]
) -> None:
    set_simulation(taxa_erro_interno=1)
    later = make_app(simulation_internal_error_rate=Decimal(0))
    problem_of(buy(later.test_client()), 500)


@pytest.mark.parametrize("rate_name", ["taxa_falha_estoque", "taxa_erro_interno"])
def test_a_replay_of_a_sale_is_never_denied(
    client: FlaskClient, set_simulation: Callable[..., dict[str, Any]], rate_name: str
) -> None:
    key = {"Idempotency-Key": "key-1"}
    first = place(client, (0, 1), headers=key)
    set_simulation(**{rate_name: 1})
    assert place(client, (0, 1), headers=key).get_json() == first.get_json()
