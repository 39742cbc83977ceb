from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from tests.support.checks import fields_of, problem_of
from tests.support.orders import (
    API_KEY,
    ORDERS,
    execute,
    get_order,
    move,
    patch,
    stock_of,
    traces,
)


def steps(client: FlaskClient, order_id: str) -> list[tuple[str, str]]:
    """Return the status changes after the payment, and their authors."""
    return [(step["to"], step["by"]) for step in get_order(client, order_id, API_KEY)["history"][2:]]


def test_an_order_goes_all_the_way(client: FlaskClient, order_id: str) -> None:
    for version, status in enumerate(("processed", "shipped", "delivered", "returned"), 3):
        response = move(client, order_id, status)
        body = response.get_json()
        assert response.status_code == 200
        assert (body["success"], body["message"]) == (True, "Pedido atualizado com sucesso!")
        assert (body["status"], body["version"]) == (status, version)
        assert response.headers["ETag"] == f'"{version}"'
    assert [status for status, _ in steps(client, order_id)] == [
        "processed",
        "shipped",
        "delivered",
        "returned",
    ]


def test_the_response_to_a_change_is_the_order_as_it_is_shown(client: FlaskClient, order_id: str) -> None:
    body = move(client, order_id, "shipped").get_json()
    assert body == get_order(client, order_id) | {
        "success": True,
        "message": "Pedido atualizado com sucesso!",
    }


@pytest.mark.parametrize("path", [["cancelled"], ["processed", "cancelled"], ["shipped", "returned"]])
def test_an_order_that_is_given_up_gives_its_copies_back_once(
    client: FlaskClient, order_id: str, path: list[str]
) -> None:
    assert (stock_of(client, 0), stock_of(client, 3)) == (20, 14)
    for status in path:
        assert move(client, order_id, status).status_code == 200
    assert (stock_of(client, 0), stock_of(client, 3)) == (22, 15)
    assert move(client, order_id, path[-1]).status_code == 200
    assert (stock_of(client, 0), stock_of(client, 3)) == (22, 15)


def test_copies_that_leave_with_the_parcel_stay_off_the_shelf(client: FlaskClient, order_id: str) -> None:
    move(client, order_id, "shipped")
    move(client, order_id, "delivered")
    assert stock_of(client, 0) == 20
    assert get_order(client, order_id)["payment_status"] == "approved"


def test_asking_for_the_present_status_changes_nothing(
    client: FlaskClient, shop: Shop, order_id: str
) -> None:
    first = move(client, order_id, "processed")
    before = traces(shop)
    again = move(client, order_id, "processed")
    assert again.get_json() == first.get_json()
    assert again.headers["ETag"] == first.headers["ETag"]
    assert traces(shop) == before


@pytest.mark.parametrize(
    ("path", "status", "allowed"),
    [
        ([], "delivered", "pode passar a: processed, shipped, cancelled."),
        ([], "returned", "pode passar a: processed, shipped, cancelled."),
        (["shipped"], "processed", "pode passar a: delivered, returned."),
        (["shipped"], "cancelled", "pode passar a: delivered, returned."),
        (["cancelled"], "shipped", "não muda mais."),
        (["shipped", "returned"], "cancelled", "não muda mais."),
    ],
)
def test_a_transition_that_is_not_allowed_is_409_and_changes_nothing(
    client: FlaskClient, shop: Shop, order_id: str, path: list[str], status: str, allowed: str
) -> None:
    for step in path:
        move(client, order_id, step)
    before = traces(shop)
    problem = problem_of(move(client, order_id, status), 409)
    assert problem["detail"].endswith(allowed)
    assert problem["error_type"] == "conflict"
    assert traces(shop) == before


@pytest.mark.parametrize(
    "status",
    [
        "pending",
        "awaiting_payment",
        "payment_denied",
        "failed",
        "enviado",
        "SHIPPED",
        "",
        None,
        1,
        ["shipped"],
    ],
)
def test_a_status_that_clients_may_not_ask_for_is_refused_by_name(
    client: FlaskClient, order_id: str, status: Any
) -> None:
    responses = (
        client.put(f"{ORDERS}/{order_id}/status", json={"status": status}, headers=API_KEY),
        patch(client, order_id, {"status": status}),
    )
    assert [fields_of(response) for response in responses] == [{"status"}, {"status"}]
    assert get_order(client, order_id)["status"] == "pending"


@pytest.mark.parametrize("body", [{}, {"status": "shipped", "notes": "x"}, [], None, "shipped"])
def test_a_change_of_status_takes_a_status_only(client: FlaskClient, order_id: str, body: Any) -> None:
    problem_of(client.put(f"{ORDERS}/{order_id}/status", json=body, headers=API_KEY), 400)


def test_an_unknown_order_can_not_be_changed(client: FlaskClient) -> None:
    problem_of(move(client, "ORDER-0", "shipped"), 404)
    problem_of(patch(client, "ORDER-0", {"notes": "x"}), 404)
    problem_of(move(client, "ORDER-0", "shipped", **{"If-Match": '"1"'}), 404)


def test_each_step_names_who_made_it(
    client: FlaskClient, order_id: str, as_admin: dict[str, str], as_operator: dict[str, str]
) -> None:
    move(client, order_id, "processed")
    patch(client, order_id, {"status": "shipped"}, **as_operator)
    move(client, order_id, "returned", **as_admin)
    assert steps(client, order_id) == [
        ("processed", "chave-api"),
        ("shipped", "operadora"),
        ("returned", "admin"),
    ]


def test_a_patch_changes_what_is_sent_and_nothing_else(client: FlaskClient, order_id: str) -> None:
    before = get_order(client, order_id)
    after = patch(client, order_id, {"notes": "Portão azul", "customer_id": "outra"}).get_json()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"notes", "customer_id", "version", "last_updated_at", "history"}
    assert (after["notes"], after["customer_id"]) == ("Portão azul", "outra")


def test_notes_may_be_taken_away(client: FlaskClient, order_id: str) -> None:
    assert patch(client, order_id, {"notes": "x"}).get_json()["notes"] == "x"
    assert patch(client, order_id, {"notes": None}).get_json()["notes"] is None


def test_a_patch_that_changes_nothing_keeps_the_version(client: FlaskClient, order_id: str) -> None:
    before = get_order(client, order_id)
    after = patch(client, order_id, {"customer_id": "cliente-42", "notes": None, "status": "processed"})
    assert after.get_json()["version"] == before["version"] + 1
    again = patch(client, order_id, {"customer_id": "cliente-42", "notes": None, "status": "processed"})
    assert again.headers["ETag"] == after.headers["ETag"]


def test_a_patch_with_a_refused_status_changes_nothing_at_all(client: FlaskClient, order_id: str) -> None:
    before = get_order(client, order_id)
    problem_of(patch(client, order_id, {"notes": "x", "status": "delivered"}), 409)
    assert get_order(client, order_id) == before


def test_a_patch_may_change_notes_and_status_at_once(client: FlaskClient, order_id: str) -> None:
    after = patch(client, order_id, {"notes": "x", "status": "cancelled"}).get_json()
    assert (after["notes"], after["status"]) == ("x", "cancelled")
    assert stock_of(client, 0) == 22


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, {"corpo"}),
        ([], {"corpo"}),
        (None, {"corpo"}),
        ({"customer_id": None}, {"customer_id"}),
        ({"customer_id": ""}, {"customer_id"}),
        ({"customer_id": " x"}, {"customer_id"}),
        ({"customer_id": "x" * 101, "notes": "x" * 1_001}, {"customer_id", "notes"}),
        ({"notes": 1}, {"notes"}),
        ({"items": []}, {"items"}),
        ({"total_amount": 0, "payment_status": "approved"}, {"total_amount", "payment_status"}),
        ({"version": 1, "order_id": "x"}, {"version", "order_id"}),
    ],
)
def test_a_bad_patch_is_refused_by_name(
    client: FlaskClient, order_id: str, changes: Any, fields: set[str]
) -> None:
    before = get_order(client, order_id)
    assert fields_of(patch(client, order_id, changes)) == fields
    assert get_order(client, order_id) == before


def test_an_order_that_still_waits_for_its_payment_can_not_be_moved(
    client: FlaskClient, shop: Shop, order_id: str
) -> None:
    execute(shop, "UPDATE pedido SET status = 'awaiting_payment' WHERE id = :id", id=order_id)
    for status in ("processed", "shipped", "delivered", "cancelled", "returned"):
        problem_of(move(client, order_id, status), 409)


@pytest.mark.parametrize("username", ["pagamento", "recuperacao", "chave-api"])
def test_no_user_passes_for_a_part_of_the_shop(
    client: FlaskClient, as_admin: dict[str, str], username: str
) -> None:
    user = {"username": username, "password": "12345"}
    assert client.post("/api/v1/auth/newuser", json=user, headers=as_admin).status_code != 201


def edits(client: FlaskClient, order_id: str, headers: dict[str, str] | None = None) -> list[Any]:
    """Return the edits in the order's history, as a client that sends `headers` sees them."""
    history = get_order(client, order_id, headers)["history"]
    return [(step["from"], step["to"], step["by"], step["fields"]) for step in history if "fields" in step]


def test_an_edit_is_in_the_history_with_its_author_and_its_fields(
    app: Flask, client: FlaskClient, order_id: str, as_operator: dict[str, str]
) -> None:
    patch(client, order_id, {"notes": "Portão azul", "customer_id": "outra"}, **as_operator)
    patch(client, order_id, {"notes": None, "status": "processed"})
    assert edits(client, order_id, API_KEY) == [
        ("pending", "pending", "operadora", ["customer_id", "notes"]),
        ("pending", "pending", "chave-api", ["notes"]),
    ]
    assert steps(client, order_id)[-1] == ("processed", "chave-api")
    shown = str(get_order(client, order_id, API_KEY)["history"])
    assert "Portão" not in shown
    assert "outra" not in shown
    assert app.test_cli_runner().invoke(args=["audit"]).exit_code == 0


def test_an_edit_is_shown_to_holders_of_the_key_only(client: FlaskClient, order_id: str) -> None:
    before = get_order(client, order_id)["history"]
    patch(client, order_id, {"notes": "x"})
    assert get_order(client, order_id)["history"] == before
    assert edits(client, order_id, {"X-API-Key": "wrong"}) == []


def test_an_edit_that_changes_nothing_leaves_no_history(
    client: FlaskClient, shop: Shop, order_id: str
) -> None:
    before = traces(shop)
    patch(client, order_id, {"customer_id": "cliente-42", "notes": None})
    assert traces(shop) == before


def test_a_refused_change_leaves_no_history(client: FlaskClient, shop: Shop, order_id: str) -> None:
    before = traces(shop)
    problem_of(patch(client, order_id, {"notes": "x", "status": "delivered"}), 409)
    problem_of(patch(client, order_id, {"notes": "x"}, **{"If-Match": '"9"'}), 412)
    assert traces(shop) == before
