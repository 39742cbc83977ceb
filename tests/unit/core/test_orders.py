from __future__ import annotations

import itertools
import re
from decimal import Decimal

import pytest

from app.core.errors import TransitionNotAllowed
from app.core.orders import (
    MAX_LINES,
    MAX_QUANTITY,
    RELEASED,
    REQUESTABLE,
    RESERVED,
    TRANSITIONS,
    Line,
    OrderItem,
    OrderStatus,
    check_transition,
    merge_lines,
    new_order_id,
    total_of,
)

ALLOWED = {
    ("awaiting_payment", "pending"),
    ("awaiting_payment", "payment_denied"),
    ("awaiting_payment", "failed"),
    ("pending", "processed"),
    ("pending", "shipped"),
    ("pending", "cancelled"),
    ("processed", "shipped"),
    ("processed", "cancelled"),
    ("shipped", "delivered"),
    ("shipped", "returned"),
    ("delivered", "returned"),
}
PAIRS = list(itertools.product(OrderStatus, OrderStatus))


def item(quantity: int, price: str, product_id: int = 0) -> OrderItem:
    return OrderItem(product_id, "Book", quantity, Decimal(price))


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair in ALLOWED])
def test_an_allowed_transition_passes(before: OrderStatus, after: OrderStatus) -> None:
    check_transition(before, after)


@pytest.mark.parametrize(("before", "after"), [pair for pair in PAIRS if pair not in ALLOWED])
def test_any_other_transition_is_refused_by_name(before: OrderStatus, after: OrderStatus) -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        check_transition(before, after)
    assert refusal.value.detail.startswith(f"Um pedido em '{before.value}' não pode passar a '{after.value}'")


def test_the_table_knows_every_status() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)
    assert len(PAIRS) == 81
    assert {pair for pair in PAIRS if pair[1] in TRANSITIONS[pair[0]]} == ALLOWED


@pytest.mark.parametrize(
    ("before", "choices"),
    [
        (OrderStatus.PENDING, "pode passar a: processed, shipped, cancelled"),
        (OrderStatus.PROCESSED, "pode passar a: shipped, cancelled"),
        (OrderStatus.SHIPPED, "pode passar a: delivered, returned"),
        (OrderStatus.DELIVERED, "pode passar a: returned"),
        (OrderStatus.CANCELLED, "não muda mais"),
        (OrderStatus.RETURNED, "não muda mais"),
        (OrderStatus.PAYMENT_DENIED, "não muda mais"),
        (OrderStatus.FAILED, "não muda mais"),
    ],
)
def test_a_refusal_says_what_may_be_asked_for(before: OrderStatus, choices: str) -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        check_transition(before, OrderStatus.PENDING)
    assert choices in refusal.value.detail


def test_an_order_that_waits_for_its_payment_is_not_called_final() -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        check_transition(OrderStatus.AWAITING_PAYMENT, OrderStatus.SHIPPED)
    assert "não muda mais" not in refusal.value.detail


def test_a_client_may_ask_for_five_statuses() -> None:
    assert REQUESTABLE == ("processed", "shipped", "delivered", "cancelled", "returned")


@pytest.mark.parametrize("status", sorted(RELEASED))
def test_nothing_leads_out_of_a_status_that_gave_the_copies_back(status: OrderStatus) -> None:
    assert not TRANSITIONS[status]


def test_copies_are_either_promised_or_gone_or_given_back() -> None:
    assert {"shipped", "delivered"} == set(OrderStatus) - RESERVED - RELEASED
    assert not RESERVED & RELEASED


@pytest.mark.parametrize(
    ("items", "total"),
    [
        ([], "0.00"),
        ([item(1, "51.77")], "51.77"),
        ([item(3, "0.10")], "0.30"),
        ([item(1, "0.10"), item(1, "0.20", 1)], "0.30"),
        ([item(1000, "1.15")], "1150.00"),
        ([item(7, "34.39"), item(2, "10.01", 1), item(1, "0.00", 2)], "260.75"),
        ([item(MAX_QUANTITY, "99999999.99", n) for n in range(MAX_LINES)], "9999999999000.00"),
    ],
)
def test_the_total_is_exact(items: list[OrderItem], total: str) -> None:
    found = total_of(items)
    assert found == Decimal(total)
    assert str(found) == total, "with its two decimals"


def test_the_highest_total_survives_as_a_json_number() -> None:
    total = total_of([item(MAX_QUANTITY, "99999999.99", n) for n in range(MAX_LINES)])
    assert Decimal(f"{float(total):.2f}") == total
    assert len(total.as_tuple().digits) <= 15


@pytest.mark.parametrize(
    ("lines", "merged"),
    [
        ([], []),
        ([(5, 1)], [(5, 1)]),
        ([(5, 1), (5, 2), (5, 3)], [(5, 6)]),
        ([(9, 1), (2, 4), (9, 1), (0, 7)], [(0, 7), (2, 4), (9, 2)]),
        ([(10, 1), (9, 1)], [(9, 1), (10, 1)]),
        ([(1, MAX_QUANTITY)] * MAX_LINES, [(1, MAX_LINES * MAX_QUANTITY)]),
    ],
)
def test_lines_of_one_book_are_added_up_and_sorted(
    lines: list[tuple[int, int]], merged: list[tuple[int, int]]
) -> None:
    assert merge_lines(Line(*line) for line in lines) == [Line(*line) for line in merged]


def test_order_ids_are_long_and_never_the_same() -> None:
    ids = {new_order_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(re.fullmatch(r"ORDER-[A-Z2-7]{26}", order_id) for order_id in ids)
