from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.core.orders import Order, OrderItem, OrderStatus, PaymentStatus
from app.core.payments import Decision
from app.observability.logs.context import request_id
from app.services.payments import MAX_AUTHORISATIONS, GatewayUnavailable, Payments
from tests.support.gateway import InMemoryGateway
from tests.support.metrics import make_metrics

PATIENCE_S = 20.0
HASTE_S = 0.05


class FakeGateway(InMemoryGateway):
    """Answers as it is told and remembers what it was asked; `hang` makes its calls wait for `let_go`."""

    def __init__(self) -> None:
        self.answer: Callable[[], Decision | None] = lambda: Decision.APPROVED
        self.asked: list[tuple[object, ...]] = []
        self.request_ids: list[str] = []
        self.let_go = threading.Event()
        self.hangs = False

    def authorise(self, amount: Decimal, reference: str, token: str | None) -> Decision:
        decision = self._answer("authorise", amount, reference, token)
        assert decision is not None
        return decision

    def decision(self, reference: str) -> Decision | None:
        return self._answer("decision", reference)

    def void(self, reference: str) -> None:
        self._answer("void", reference)

    def _answer(self, *question: object) -> Decision | None:
        self.asked.append(question)
        self.request_ids.append(request_id.get())
        if self.hangs:
            assert self.let_go.wait(PATIENCE_S)
        return self.answer()


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    gateway = FakeGateway()
    yield gateway
    gateway.let_go.set()
    join_calls()


def join_calls() -> None:
    """Wait until every call to a gateway has ended."""
    for thread in threading.enumerate():
        if thread.name.startswith("payment-"):
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def make_order(total: str = "10.50") -> Order:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return Order(
        id="ORDER-TEST",
        customer_id="c",
        items=(OrderItem(0, "Book", 1, Decimal(total)),),
        total=Decimal(total),
        status=OrderStatus.AWAITING_PAYMENT,
        payment_status=PaymentStatus.PENDING,
        notes=None,
        created_at=now,
        updated_at=now,
        version=1,
    )


def raising(error: BaseException) -> Callable[[], Decision]:
    def answer() -> Decision:
        raise error

    return answer


def answering(decision: Decision | None) -> Callable[[], Decision | None]:
    return lambda: decision


@pytest.mark.parametrize("decision", Decision)
def test_what_the_gateway_decides_is_passed_on(gateway: FakeGateway, decision: Decision) -> None:
    gateway.answer = answering(decision)
    assert Payments(gateway, PATIENCE_S, make_metrics()).authorise(make_order(), None) is decision


def test_the_gateway_is_told_the_exact_amount_the_order_and_the_card(gateway: FakeGateway) -> None:
    Payments(gateway, PATIENCE_S, make_metrics()).authorise(make_order("0.30"), "tok_x")
    assert gateway.asked == [("authorise", Decimal("0.30"), "ORDER-TEST", "tok_x")]


def test_a_gateway_that_hangs_has_not_answered(gateway: FakeGateway) -> None:
    gateway.hangs = True
    assert Payments(gateway, HASTE_S, make_metrics()).authorise(make_order(), None) is None


@pytest.mark.parametrize(
    "error", [RuntimeError("refused"), ConnectionResetError(), ValueError(), TimeoutError("its own")]
)
def test_a_gateway_that_raises_has_failed(gateway: FakeGateway, error: Exception) -> None:
    gateway.answer = raising(error)
    payments = Payments(gateway, PATIENCE_S, make_metrics())
    assert payments.authorise(make_order(), None) is Decision.ERROR
    with pytest.raises(GatewayUnavailable):
        payments.decision("ORDER-TEST")
    assert payments.void("ORDER-TEST") is False


def test_a_gateway_that_answers_nonsense_has_failed(gateway: FakeGateway) -> None:
    gateway.answer = answering("declined")  # type: ignore[arg-type]
    payments = Payments(gateway, PATIENCE_S, make_metrics())
    assert payments.authorise(make_order(), None) is Decision.ERROR
    with pytest.raises(GatewayUnavailable):
        payments.decision("ORDER-TEST")


@pytest.mark.parametrize("decision", [*Decision, None])
def test_an_earlier_decision_is_passed_on(gateway: FakeGateway, decision: Decision | None) -> None:
    gateway.answer = answering(decision)
    assert Payments(gateway, PATIENCE_S, make_metrics()).decision("ORDER-TEST") is decision


def test_the_decision_of_a_gateway_that_hangs_is_unknown(gateway: FakeGateway) -> None:
    gateway.hangs = True
    with pytest.raises(GatewayUnavailable):
        Payments(gateway, HASTE_S, make_metrics()).decision("ORDER-TEST")


def test_a_payment_that_was_given_back_is_confirmed(gateway: FakeGateway) -> None:
    gateway.answer = answering(None)
    assert Payments(gateway, PATIENCE_S, make_metrics()).void("ORDER-TEST") is True
    assert gateway.asked == [("void", "ORDER-TEST")]


def test_a_void_that_hangs_is_not_confirmed(gateway: FakeGateway) -> None:
    gateway.hangs = True
    assert Payments(gateway, HASTE_S, make_metrics()).void("ORDER-TEST") is False


def test_calls_beyond_the_limit_fail_at_once_and_never_reach_the_gateway(gateway: FakeGateway) -> None:
    gateway.hangs = True
    payments = Payments(gateway, 0.001, make_metrics())
    for _ in range(MAX_AUTHORISATIONS):
        assert payments.authorise(make_order(), None) is None
    assert payments.authorise(make_order(), None) is Decision.ERROR
    assert len(gateway.asked) == MAX_AUTHORISATIONS
    gateway.hangs = False
    assert payments.void("ORDER-TEST") is True, "orders are reconciled although authorisations hang"
    gateway.let_go.set()
    join_calls()


def test_a_call_that_ends_makes_room_for_another(gateway: FakeGateway) -> None:
    gateway.hangs = True
    payments = Payments(gateway, 0.001, make_metrics())
    for _ in range(MAX_AUTHORISATIONS):
        payments.authorise(make_order(), None)
    gateway.let_go.set()
    join_calls()
    gateway.hangs = False
    assert payments.authorise(make_order(), None) in (Decision.APPROVED, None)
    join_calls()
    assert len(gateway.asked) == MAX_AUTHORISATIONS + 1


@pytest.mark.parametrize(
    "answer", [answering(Decision.APPROVED), raising(RuntimeError()), raising(TimeoutError())]
)
def test_calls_that_ended_are_no_longer_counted(gateway: FakeGateway, answer: Callable[[], Decision]) -> None:
    gateway.answer = answer
    payments = Payments(gateway, PATIENCE_S, make_metrics())
    for _ in range(2 * MAX_AUTHORISATIONS):
        payments.authorise(make_order(), None)
    join_calls()
    assert len(gateway.asked) == 2 * MAX_AUTHORISATIONS


def test_a_gateway_that_ends_its_thread_gives_its_place_back(gateway: FakeGateway) -> None:
    gateway.answer = raising(SystemExit())
    payments = Payments(gateway, PATIENCE_S, make_metrics())
    for _ in range(MAX_AUTHORISATIONS + 1):
        assert payments.authorise(make_order(), None) is Decision.ERROR
    assert len(gateway.asked) == MAX_AUTHORISATIONS + 1
    join_calls()


def test_the_gateway_logs_under_the_id_of_the_request(gateway: FakeGateway) -> None:
    token = request_id.set("request-7")
    try:
        Payments(gateway, PATIENCE_S, make_metrics()).authorise(make_order(), None)
    finally:
        request_id.reset(token)
    assert gateway.request_ids == ["request-7"]


class NoThreads:
    """Stands for a machine that has no room for another thread."""

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        pass

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_a_machine_without_room_for_a_thread_is_a_failed_payment(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = Payments(gateway, PATIENCE_S, make_metrics())
    with monkeypatch.context() as crowded:
        crowded.setattr("app.services.payments.threading.Thread", NoThreads)
        for _ in range(MAX_AUTHORISATIONS):
            assert payments.authorise(make_order(), None) is Decision.ERROR
    assert payments.authorise(make_order(), None) is Decision.APPROVED


def test_threads_are_used_again_and_end_when_they_are_idle(gateway: FakeGateway) -> None:
    threads: set[int] = set()

    def answer() -> Decision:
        threads.add(threading.get_ident())
        return Decision.APPROVED

    gateway.answer = answer
    payments = Payments(gateway, PATIENCE_S, make_metrics())
    for _ in range(10):
        payments.authorise(make_order(), None)
    assert len(threads) < 10
    join_calls()
    assert payments.authorise(make_order(), None) is Decision.APPROVED, "a new thread takes their place"
