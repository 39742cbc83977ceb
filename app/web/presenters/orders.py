"""Orders."""

from app.core.accounts import RESERVED_USERNAMES
from app.core.orders import Order
from app.web.presenters.common import Shape, present_time

STAFF = "equipe"


def present_order(order: Order) -> Shape:
    return {
        "order_id": order.id,
        "customer_id": order.customer_id,
        "items": [
            {
                "product_id": item.product_id,
                "name": item.name,
                "quantity": item.quantity,
                "price_unit": float(item.unit_price),
            }
            for item in order.items
        ],
        "total_amount": float(order.total),
        "status": order.status.value,
        "payment_status": order.payment_status.value,
        "notes": order.notes,
        "created_at": present_time(order.created_at),
        "last_updated_at": present_time(order.updated_at),
        "version": order.version,
    }


def present_order_detail(order: Order, *, names_staff: bool) -> Shape:
    """Return an order with its history; without the API key, edits and the names of the staff are hidden."""
    return present_order(order) | {
        "history": [
            {
                "from": None if change.before is None else change.before.value,
                "to": change.after.value,
                "at": present_time(change.at),
                "by": change.by if names_staff or change.by in RESERVED_USERNAMES else STAFF,
                **({"fields": [*change.fields]} if change.fields else {}),
            }
            for change in order.history
            if names_staff or not change.fields
        ]
    }


def present_placed_order(order: Order) -> Shape:
    return {"success": True, "message": "Pedido criado com sucesso!", **present_order(order)}


def present_changed_order(order: Order) -> Shape:
    message = {"success": True, "message": "Pedido atualizado com sucesso!"}
    return message | present_order_detail(order, names_staff=True)
