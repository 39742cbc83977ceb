"""Orders that a crash or a fault left between their two transactions."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.orders import Line, Order, OrderStatus
from app.core.payments import Decision
from app.services import reconcile_payments
from app.services.catalogue import publish_crawl
from app.services.orders import Draft, Orders
from app.services.payments import Payments
from app.storage import orders as rows
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.models import OrderRow
from app.storage.orders import OrderFilter
from tests.support.books import LIMITS, make_crawl, make_scraped
from tests.support.clock import set_clock
from tests.support.gateway import InMemoryGateway
from tests.support.metrics import make_metrics

COPIES = 10
DRAFT = Draft(customer_id="c", lines=(Line(0, 3),))


class FakeGateway(InMemoryGateway):
    """Approves everything, unless it is away; `approved` are the references it knows."""

    def __init__(self) -> None:
        self.away = False
        self.approved: set[str] = set()

    def authorise(self, amount: Decimal, reference: str, token: str | None) -> Decision:
        self.approved.add(reference)
        return Decision.APPROVED

    def decision(self, reference: str) -> Decision | None:
        if self.away:
            raise ConnectionError
        return Decision.APPROVED if reference in self.approved else None

    def void(self, reference: str) -> None:
        if self.away:
            raise ConnectionError
        self.approved.discard(reference)


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def make_orders(database: Database, gateway: FakeGateway) -> Callable[..., Orders]:
    publish(database)
    store = CatalogueStore(database)

    def make(abandoned_after: int = 60, give_up_after: int = 600) -> Orders:
        waits = timedelta(seconds=abandoned_after), timedelta(seconds=give_up_after)
        payments = Payments(gateway, 5, make_metrics())
        return Orders(database, store, payments, make_metrics(), *waits)

    return make


def publish(database: Database, counted_since: datetime | None = None) -> None:
    """A scrape that finds the supplier with COPIES."""
    crawl = make_crawl(make_scraped("a", stock=COPIES), make_scraped("b", stock=COPIES))
    with database.writing() as session:
        publish_crawl(session, crawl, LIMITS, "https://shop.invalid/", counted_since)


def stock(database: Database) -> int:
    return CatalogueStore(database).current().book(0).stock


def statuses(orders: Orders) -> list[tuple[str, str]]:
    return [(order.status, order.payment_status) for order in orders.orders(OrderFilter(), 0, 100)[0]]


def lose_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second transaction of every order fail."""

    def fail(*_arguments: object) -> bool:
        raise OperationalError("UPDATE", {}, Exception("disk I/O error"))

    monkeypatch.setattr(rows, "move_order", fail)


def test_an_order_that_its_own_process_could_not_conclude_is_settled_at_its_next_round(
    make_orders: Callable[..., Orders], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()
    with monkeypatch.context() as broken:
        lose_the_database(broken)
        with pytest.raises(OperationalError):
            orders.place(DRAFT, None, "test")
        orders.reconcile()
        assert statuses(orders) == [("awaiting_payment", "pending")]
    orders.reconcile()
    assert statuses(orders) == [("pending", "approved")]
    assert stock(database) == COPIES - 3


def abandon(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        lose_the_database(broken)
        with pytest.raises(OperationalError):
            orders.place(DRAFT, None, "test")


def test_a_process_forgets_the_orders_that_another_one_has_settled_for_it(
    make_orders: Callable[..., Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()
    abandon(orders, monkeypatch)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(reconcile_payments, "is_known_alive", lambda _owner: False)
        make_orders(abandoned_after=-1).reconcile()
    assert statuses(orders) == [("pending", "approved")]
    orders.reconcile()
    assert orders._reconciler._abandoned == set()


def test_orders_that_wait_behind_a_full_round_are_settled_in_the_next_ones(
    make_orders: Callable[..., Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_payments, "BATCH_SIZE", 2)
    orders = make_orders()
    for _ in range(3):
        abandon(orders, monkeypatch)
    orders.reconcile()
    orders.reconcile()
    assert statuses(orders) == [("pending", "approved")] * 3
    orders.reconcile()
    assert orders._reconciler._abandoned == set()


def test_an_order_waits_for_a_gateway_that_cannot_be_asked_and_then_is_what_it_says(
    make_orders: Callable[..., Orders], gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()
    abandon(orders, monkeypatch)
    gateway.away = True
    orders.reconcile()
    assert statuses(orders) == [("awaiting_payment", "pending")]
    gateway.away = False
    orders.reconcile()
    assert statuses(orders) == [("pending", "approved")]


def test_an_order_that_has_waited_too_long_is_released_and_its_payment_given_back(
    make_orders: Callable[..., Orders],
    gateway: FakeGateway,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = make_orders(give_up_after=-1)
    abandon(orders, monkeypatch)
    gateway.away = True
    orders.reconcile()
    assert statuses(orders) == [("failed", "voiding")]
    assert stock(database) == COPIES
    gateway.away = False
    orders.reconcile()
    assert statuses(orders) == [("failed", "voided")]
    assert gateway.approved == set()


def test_one_order_that_cannot_be_settled_holds_up_no_other(
    make_orders: Callable[..., Orders], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()
    abandon(orders, monkeypatch)
    abandon(orders, monkeypatch)
    poisoned = orders.orders(OrderFilter(), 0, 10)[0][-1].id
    move = rows.move_order

    def fail_for_one(session: Session, order: Order, *changes: Any) -> Order | None:
        if order.id == poisoned:
            raise OperationalError("UPDATE", {}, Exception("poison"))
        return move(session, order, *changes)

    monkeypatch.setattr(rows, "move_order", fail_for_one)
    orders.reconcile()
    assert sorted(statuses(orders)) == [("awaiting_payment", "pending"), ("pending", "approved")]


def test_copies_that_left_while_a_scrape_counted_are_not_sold_again(
    make_orders: Callable[..., Orders], database: Database
) -> None:
    orders, began = make_orders(), datetime.now(UTC)
    order_id = orders.place(DRAFT, None, "test").order.id
    orders.change(order_id, OrderStatus.SHIPPED, {}, None, "test")
    publish(database, counted_since=began)
    assert stock(database) == COPIES - 3, "the page may have been read before they left"
    publish(database, counted_since=datetime.now(UTC))
    assert stock(database) == COPIES, "the supplier counted without them, and still has so many"


def test_many_payments_are_given_back_in_one_round(
    make_orders: Callable[..., Orders], gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.reconcile_payments.BATCH_SIZE", 2)
    orders = make_orders()
    for _ in range(5):
        order_id = orders.place(Draft(customer_id="c", lines=(Line(0, 1),)), None, "t").order.id
        orders.change(order_id, OrderStatus.CANCELLED, {}, None, "test")
    orders.reconcile()
    assert statuses(orders) == [("cancelled", "voided")] * 5
    assert gateway.approved == set()


def begin_order(orders: Orders, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave an order as it is while its payment is asked for."""
    with monkeypatch.context() as at_work:
        at_work.setattr(orders._reconciler, "abandon", lambda _order_id: None)
        abandon(orders, at_work)


def change_row(database: Database, **values: Any) -> None:
    with database.writing() as session:
        session.execute(update(OrderRow).values(**values))


def test_a_clock_that_is_set_forward_settles_no_order_whose_process_is_alive(
    make_orders: Callable[..., Orders], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()
    begin_order(orders, database, monkeypatch)
    set_clock(monkeypatch, timedelta(days=1))
    make_orders().reconcile()
    assert statuses(orders) == [("awaiting_payment", "pending")]


def test_an_order_whose_commit_was_not_heard_of_is_settled_although_its_process_is_alive(
    make_orders: Callable[..., Orders], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()
    write = database.write

    def lose_the_answer(work: Callable[[Session], Any]) -> None:
        write(work)
        raise OperationalError("COMMIT", {}, Exception("the server does not answer"))

    with monkeypatch.context() as cut:
        cut.setattr(database, "write", lose_the_answer)
        with pytest.raises(OperationalError):
            orders.place(DRAFT, None, "test")
    orders.reconcile()
    assert statuses(orders) == [("awaiting_payment", "pending")]
    later = time.monotonic() + 61
    monkeypatch.setattr(reconcile_payments, "time", SimpleNamespace(monotonic=lambda: later))
    orders.reconcile()
    assert statuses(orders) == [("failed", "voided")]
    assert stock(database) == COPIES


def test_an_order_of_an_unknown_process_is_settled_when_it_is_old_and_not_before(
    make_orders: Callable[..., Orders], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()
    begin_order(orders, database, monkeypatch)
    change_row(database, owner="host:1:an-older-release")
    orders.reconcile()
    assert statuses(orders) == [("awaiting_payment", "pending")]
    change_row(database, created_at=datetime.now(UTC) - timedelta(seconds=61))
    orders.reconcile()
    assert statuses(orders) == [("pending", "approved")]


def test_an_order_whose_request_breaks_in_any_way_is_settled_at_the_next_round(
    make_orders: Callable[..., Orders], monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = make_orders()

    def end(*_arguments: object) -> Decision:
        raise SystemExit

    with monkeypatch.context() as ending:
        ending.setattr(orders._payments, "authorise", end)
        with pytest.raises(SystemExit):
            orders.place(DRAFT, None, "test")
    orders.reconcile()
    assert statuses(orders) == [("failed", "voided")]


def test_refunds_of_a_slow_gateway_do_not_hold_up_the_orders_that_are_abandoned_meanwhile(
    make_orders: Callable[..., Orders],
    gateway: FakeGateway,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    orders = make_orders()
    for _ in range(3):
        order = orders.place(Draft(customer_id="c", lines=(Line(0, 1),)), None, "test").order
        orders.change(order.id, OrderStatus.CANCELLED, {}, None, "test")
    clock = iter(range(0, 1_000, 20))  # each refund takes 20 s
    with monkeypatch.context() as slow:
        slow.setattr(reconcile_payments, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        orders.reconcile()
        assert sorted(payment for _, payment in statuses(orders)) == ["voided", "voiding", "voiding"]
        assert caplog.records[-1].message == "payments_left_to_void"
        abandon(orders, monkeypatch)
        orders.reconcile()
    assert sorted(statuses(orders)) == [
        ("cancelled", "voided"),
        ("cancelled", "voided"),
        ("cancelled", "voiding"),
        ("pending", "approved"),
    ]
