"""The decisions that the simulated gateway defers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy.exc import OperationalError

from app.core.payments import Decision
from app.shop import Shop
from tests.support.orders import query

STORED = "SELECT referencia, resultado FROM pagamento_simulado"


@pytest.mark.postgresql_only("its transactions run side by side, and the next may end after the order's")
def test_a_decision_is_stored_at_once(shop: Shop) -> None:
    assert shop.gateway.authorise(Decimal(1), "ORDER-1", "tok_denied") is Decision.DENIED
    assert query(shop, STORED) == [("ORDER-1", "denied")]


@pytest.mark.sqlite_only("it commits in one order, so that a decision may share the next commit")
def test_a_decision_is_stored_with_the_next_transaction(shop: Shop) -> None:
    assert shop.gateway.authorise(Decimal(1), "ORDER-1", "tok_denied") is Decision.DENIED
    assert query(shop, STORED) == []
    shop.database.write(lambda _session: None)
    assert query(shop, STORED) == [("ORDER-1", "denied")]


def test_the_gateway_knows_what_it_has_not_stored(shop: Shop) -> None:
    shop.gateway.authorise(Decimal(1), "ORDER-1", "tok_approved")
    assert shop.gateway.decision("ORDER-1") is Decision.APPROVED
    assert shop.gateway.decision("ORDER-2") is None


def test_the_first_decision_holds(shop: Shop) -> None:
    for token in ("tok_approved", "tok_denied"):
        shop.gateway.authorise(Decimal(1), "ORDER-1", token)
    assert shop.gateway.decision("ORDER-1") is Decision.APPROVED


def test_a_void_holds_also_before_its_payment(shop: Shop) -> None:
    shop.gateway.void("ORDER-1")
    shop.gateway.authorise(Decimal(1), "ORDER-1", "tok_approved")
    assert shop.gateway.decision("ORDER-1") is Decision.DENIED


def test_a_void_replaces_a_decision_that_is_not_stored(shop: Shop) -> None:
    shop.gateway.authorise(Decimal(1), "ORDER-1", "tok_approved")
    shop.gateway.void("ORDER-1")
    assert query(shop, STORED) == [("ORDER-1", "voided")]


def test_closing_stores_what_was_decided(shop: Shop) -> None:
    shop.gateway.authorise(Decimal(1), "ORDER-1", "tok_approved")
    shop.gateway.close()
    assert query(shop, STORED) == [("ORDER-1", "approved")]


def test_a_database_that_fails_does_not_keep_the_shop_from_closing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_work: object) -> None:
        raise OperationalError("BEGIN", {}, Exception("database is locked"))

    shop.gateway.authorise(Decimal(1), "ORDER-1", "tok_approved")
    with monkeypatch.context() as locked:
        locked.setattr(shop.database, "write", fail)
        shop.gateway.close()
    shop.database.flush()
    assert query(shop, STORED) == [("ORDER-1", "approved")]
