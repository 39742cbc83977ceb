"""Orders."""

from __future__ import annotations

from app.core.accounts import RESERVED_USERNAMES
from app.core.orders import Order
from app.web.presenters.common import Shape, present_time

STAFF = "equipe"


def present_order(placed: Order) -> Shape:
    return {
        "order_id": placed.id,
        "customer_id": placed.customer_id,
        "items": [
            {
                "product_id": item.product_id,
                "name": item.name,
                "quantity": item.quantity,
                "price_unit": float(item.unit_price),
            }
            for item in placed.items
        ],
        "total_amount": float(placed.total),
        "status": placed.status.value,
        "payment_status": placed.payment_status.value,
        "notes": placed.notes,
        "created_at": present_time(placed.created_at),
        "last_updated_at": present_time(placed.updated_at),
        "version": placed.version,
    }


def present_order_detail(found: Order, *, names_staff: bool) -> Shape:
    """An order with its history; who holds its id only may not learn the names of those who work here."""
    return present_order(found) | {
        "history": [
            {
                "from": None if change.before is None else change.before.value,
                "to": change.after.value,
                "at": present_time(change.at),
                "by": change.by if names_staff or change.by in RESERVED_USERNAMES else STAFF,
            }
            for change in found.history
        ]
    }
