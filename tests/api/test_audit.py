from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.orders import execute, move, place, place_order

MOVEMENT = (
    "INSERT INTO estoque_movimento (livro_id, quantidade, motivo, pedido_id, quando) "
    "VALUES ({book}, {copies}, 'cancelamento', {order}, CURRENT_TIMESTAMP)"
)
STEP = (
    "INSERT INTO pedido_historico (pedido_id, de, para, quando, por) "
    "VALUES (:id, {before}, '{after}', CURRENT_TIMESTAMP, 'x')"
)
KEY = {"Idempotency-Key": "key-1"}


@pytest.fixture
def order_id(app: Flask, client: FlaskClient) -> str:
    """A paid order that leaves 20 copies of book 0, in a shop with every kind of order."""
    publish(app, SIX_BOOKS)
    for path in (
        ["cancelled"],
        ["shipped", "returned"],
        ["processed", "shipped", "delivered"],
        ["processed"],
    ):
        other = place_order(client, (3, 1), (1, 1))
        for status in path:
            move(client, other["order_id"], status)
    for token in ("tok_denied", "tok_error"):
        place(client, (3, 1), token=token)
    order_id: str = place_order(client, (0, 2), headers=KEY)["order_id"]
    return order_id


def audited(app: Flask) -> tuple[int, list[str]]:
    """Return the exit code and the lines of `flask audit`."""
    result = app.test_cli_runner().invoke(args=["audit"])
    return result.exit_code, result.output.splitlines()


def test_a_shop_that_was_just_opened_is_right(app: Flask) -> None:
    assert audited(app) == (0, ["Auditoria: tudo confere."])


def test_a_shop_that_has_sold_is_right(app: Flask, order_id: str) -> None:
    assert audited(app) == (0, ["Auditoria: tudo confere."])


def test_a_shop_whose_catalogue_changed_under_its_orders_is_right(
    app: Flask, client: FlaskClient, order_id: str
) -> None:
    publish(app, SIX_BOOKS[1:])
    assert audited(app)[0] == 0
    move(client, order_id, "cancelled")
    publish(app, SIX_BOOKS)
    assert audited(app) == (0, ["Auditoria: tudo confere."])


def test_a_shop_whose_demonstration_catalogue_left_with_orders_open_is_right(
    app: Flask, client: FlaskClient
) -> None:
    order = place_order(client, (0, 1))
    publish(app, SIX_BOOKS)
    assert audited(app)[0] == 0
    move(client, order["order_id"], "cancelled")
    assert audited(app) == (0, ["Auditoria: tudo confere."])


@pytest.mark.parametrize(
    ("statements", "mismatches"),
    [
        (
            ["UPDATE livros SET disponibilidade = 21 WHERE id = 0"],
            ["livro 0: estoque 21, mas os movimentos somam 20"],
        ),
        (
            [MOVEMENT.format(book=0, copies=5, order="NULL")],
            ["livro 0: estoque 20, mas os movimentos somam 25"],
        ),
        (
            [MOVEMENT.format(book=777, copies=5, order="NULL")],
            ["livro 777: estoque 0, mas os movimentos somam 5"],
        ),
        (
            ["DELETE FROM estoque_movimento WHERE livro_id = 5"],
            ["livro 5: estoque 5, mas os movimentos somam 0"],
        ),
        (["UPDATE livros SET em_falta = 1 WHERE id = 0"], ["livro 0: estoque 20 com 1 em falta"]),
        (
            ["UPDATE pedido SET total = 103.55 WHERE id = :id"],
            ["pedido {id}: total 103.55, mas os itens somam 103.54"],
        ),
        (
            ["UPDATE pedido_item SET preco_unitario = 51.78 WHERE pedido_id = :id"],
            ["pedido {id}: total 103.54, mas os itens somam 103.56"],
        ),
        (
            ["DELETE FROM pedido_item WHERE pedido_id = :id"],
            [
                "pedido {id}: total 103.54, mas não tem itens",
                "pedido {id}: há um movimento do livro 0, que não está nos seus itens",
            ],
        ),
        (
            [
                MOVEMENT.format(book=0, copies=2, order=":id"),
                "UPDATE livros SET disponibilidade = 22 WHERE id = 0",
            ],
            ["pedido {id} (pending), livro 0: o estoque deveria ter mudado -2, os movimentos somam 0"],
        ),
        (
            [
                "DELETE FROM estoque_movimento WHERE pedido_id = :id",
                "UPDATE livros SET disponibilidade = 22 WHERE id = 0",
            ],
            ["pedido {id} (pending), livro 0: o estoque deveria ter mudado -2, os movimentos somam 0"],
        ),
        (
            [
                "UPDATE pedido SET status = 'cancelled' WHERE id = :id",
                STEP.format(before="'pending'", after="cancelled"),
            ],
            [
                "pedido {id} (cancelled), livro 0: o estoque deveria ter mudado 0, os movimentos somam -2",
                "pedido {id}: está em 'cancelled' com o pagamento em 'approved'",
            ],
        ),
        (
            ["UPDATE pedido SET status = 'shipped' WHERE id = :id"],
            ["pedido {id}: está em 'shipped', mas o histórico termina em 'pending'"],
        ),
        (
            ["DELETE FROM pedido_historico WHERE pedido_id = :id"],
            ["pedido {id}: está em 'pending', mas o histórico termina em 'None'"],
        ),
        (
            [
                STEP.format(before="'pending'", after="delivered"),
                "UPDATE pedido SET status = 'delivered' WHERE id = :id",
            ],
            ["pedido {id}: passou de 'pending' a 'delivered', o que não é permitido"],
        ),
        (
            [STEP.format(before="NULL", after="pending")],
            [
                "pedido {id}: o histórico passa de 'pending' a uma mudança que parte de 'None'",
                "pedido {id}: passou de 'None' a 'pending', o que não é permitido",
            ],
        ),
        (
            ["UPDATE idempotencia SET resposta = NULL"],
            ["pedido {id} (pending): a sua Idempotency-Key ficou sem resposta"],
        ),
    ],
)
def test_what_is_off_is_named_and_ends_in_1(
    app: Flask, shop: Shop, order_id: str, statements: list[str], mismatches: list[str]
) -> None:
    execute(shop, *statements, id=order_id)
    assert audited(app) == (1, [sentence.format(id=order_id) for sentence in mismatches])


@pytest.mark.parametrize(("minutes", "exit_code"), [(14, 0), (16, 1)])
def test_an_order_that_waits_too_long_for_its_payment_is_named(
    app: Flask, shop: Shop, order_id: str, minutes: int, exit_code: int
) -> None:
    execute(
        shop,
        "UPDATE pedido SET status = 'awaiting_payment', pagamento_status = 'pending', "
        "criado_em = :since WHERE id = :id",
        "DELETE FROM pedido_historico WHERE pedido_id = :id AND para = 'pending'",
        "DELETE FROM idempotencia",
        id=order_id,
        since=datetime.now(UTC) - timedelta(minutes=minutes),
    )
    code, mismatches = audited(app)
    assert code == exit_code
    if exit_code:
        assert len(mismatches) == 1
        assert mismatches[0].startswith(f"pedido {order_id}: espera o pagamento desde 20")


def test_everything_that_is_off_is_named_at_once(app: Flask, shop: Shop, order_id: str) -> None:
    execute(
        shop,
        "UPDATE livros SET disponibilidade = disponibilidade + 1 WHERE id IN (0, 5)",
        "UPDATE pedido SET total = 1 WHERE id = :id",
        "UPDATE idempotencia SET resposta = NULL",
        id=order_id,
    )
    code, mismatches = audited(app)
    assert code == 1
    assert len(mismatches) == 4


def test_an_audit_changes_nothing(app: Flask, shop: Shop, order_id: str) -> None:
    execute(shop, "UPDATE livros SET disponibilidade = 21 WHERE id = 0")
    assert audited(app) == audited(app)


def test_a_step_that_is_missing_from_a_history_is_named(
    app: Flask, client: FlaskClient, shop: Shop, order_id: str
) -> None:
    move(client, order_id, "processed")
    move(client, order_id, "shipped")
    execute(
        shop,
        "DELETE FROM pedido_historico WHERE pedido_id = :id AND para IN ('pending', 'processed')",
        id=order_id,
    )
    assert audited(app)[0] == 1


def test_a_movement_of_a_book_that_the_order_does_not_have_is_named(
    app: Flask, shop: Shop, order_id: str
) -> None:
    execute(
        shop,
        MOVEMENT.format(book=5, copies=3, order=":id"),
        "UPDATE livros SET disponibilidade = disponibilidade + 3 WHERE id = 5",
        id=order_id,
    )
    assert audited(app)[0] == 1


@pytest.mark.parametrize("payment", ["denied", "pending", "voided"])
def test_an_order_that_goes_on_without_its_payment_is_named(
    app: Flask, shop: Shop, order_id: str, payment: str
) -> None:
    execute(
        shop, "UPDATE pedido SET pagamento_status = :payment WHERE id = :id", payment=payment, id=order_id
    )
    assert audited(app)[0] == 1
