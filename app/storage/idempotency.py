"""Rows of `idempotencia`: the keys that clients sent with orders, and the outcomes of their requests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from app.core.errors import FieldProblem, OutOfStock, PaymentDenied, ProductsNotFound, ShopError
from app.core.orders import Order, OrderItem, OrderStatus, PaymentStatus
from app.storage.columns import UtcTime
from app.storage.database import INSERTS
from app.storage.models import IdempotencyRow
from app.storage.prepared import Prepared

KEY_TTL = timedelta(hours=24)
MAX_REFUSED_KEYS = 100_000
_REFUSALS: dict[str, Callable[..., ShopError]] = {
    "OutOfStock": OutOfStock,
    "ProductsNotFound": ProductsNotFound,
    "PaymentDenied": PaymentDenied,
}


def _claim(insert: Callable[..., Any]) -> Any:
    """Return the insert of a key, which replaces one that is no longer kept."""
    row = insert(IdempotencyRow).values(
        {name: bindparam(name) for name in ("key", "body_digest", "created_at")}
    )
    return row.on_conflict_do_update(
        index_elements=[IdempotencyRow.key],
        set_={
            IdempotencyRow.body_digest: row.excluded.corpo_sha256,
            IdempotencyRow.order_id: None,
            IdempotencyRow.response: None,
            IdempotencyRow.created_at: row.excluded.criada_em,
        },
        where=IdempotencyRow.created_at < bindparam("expired_before", type_=UtcTime()),
    ).returning(IdempotencyRow.key)


_CLAIM_KEY = {dialect: Prepared(_claim(insert)) for dialect, insert in INSERTS.items()}
_READ_KEY = select(IdempotencyRow.body_digest, IdempotencyRow.response).where(
    IdempotencyRow.key == bindparam("key")
)
_LINK_ORDER = Prepared(
    update(IdempotencyRow)
    .where(IdempotencyRow.key == bindparam("key"))
    .values(order_id=bindparam("order_id"))
)
_STORE_REFUSAL = Prepared(
    update(IdempotencyRow)
    .where(IdempotencyRow.key == bindparam("key"))
    .values(response=bindparam("response"))
)
_STORE_OUTCOME = Prepared(
    update(IdempotencyRow)
    .where(IdempotencyRow.order_id == bindparam("order_id"))
    .values(response=bindparam("response"))
)
_RELEASE_KEY = Prepared(delete(IdempotencyRow).where(IdempotencyRow.order_id == bindparam("order_id")))


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key, and the SHA-256 in hex of the body it came with."""

    key: str
    body_digest: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A stored key: its request placed `order`, as it was then, or was refused; neither while it is in flight."""

    body_digest: str
    order: Order | None = None
    refusal: ShopError | None = None


def claim_key(session: Session, key: IdempotencyKey, now: datetime) -> KeyRecord | None:
    """Store the key for this transaction's request; return the record of an earlier request instead, if any.

    One insert decides: of two at the same moment, the second waits for the first one's transaction.
    """
    connection = session.connection()
    claimed = (
        _CLAIM_KEY[connection.dialect.name]
        .execute(
            session,
            {
                "key": key.key,
                "body_digest": key.body_digest,
                "created_at": now,
                "expired_before": now - KEY_TTL,
            },
        )
        .scalar_one_or_none()
    )
    if claimed is not None:
        return None
    row = connection.execute(_READ_KEY, {"key": key.key}).one_or_none()
    # None where the other request failed and released it just now: as if it were still in flight.
    return KeyRecord(key.body_digest) if row is None else _record(*row)


def link_order(session: Session, key: str, order_id: str) -> None:
    """Record which order the key's request placed."""
    _LINK_ORDER.execute(session, {"key": key, "order_id": order_id})


def store_refusal(session: Session, key: str, refusal: ShopError) -> None:
    """Record that the key's request was refused before an order was stored."""
    _STORE_REFUSAL.execute(session, {"key": key, "response": _refusal_to_json(refusal)})


def store_outcome(session: Session, order: Order, refusal: ShopError | None = None) -> None:
    """Record what the request that placed `order` came to, if it had a key."""
    response = {"order": _order_to_json(order)} if refusal is None else _refusal_to_json(refusal)
    _STORE_OUTCOME.execute(session, {"order_id": order.id, "response": response})


def release_key(session: Session, order_id: str) -> None:
    """Let the request that placed an order be tried anew under the same key."""
    _RELEASE_KEY.execute(session, {"order_id": order_id})


def purge_keys(session: Session, now: datetime) -> None:
    """Delete keys older than KEY_TTL, and of the refused ones all but the newest MAX_REFUSED_KEYS.

    A key that sold something is kept its whole time: without it, a retry would sell twice.
    """
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < now - KEY_TTL))
    oldest_kept = session.scalar(
        select(IdempotencyRow.created_at)
        .where(IdempotencyRow.order_id.is_(None))
        .order_by(IdempotencyRow.created_at.desc())
        .offset(MAX_REFUSED_KEYS - 1)
        .limit(1)
    )
    if oldest_kept is not None:
        session.execute(
            delete(IdempotencyRow).where(
                IdempotencyRow.created_at < oldest_kept,
                IdempotencyRow.order_id.is_(None),
                IdempotencyRow.response.is_not(None),
            )
        )


def _record(body_digest: str, response: dict[str, Any] | None) -> KeyRecord:
    if response is None:
        return KeyRecord(body_digest)
    if "order" in response:
        return KeyRecord(body_digest, order=_order_from_json(response["order"]))
    problems = [FieldProblem(field, message) for field, message in response["problems"]]
    refusal = _REFUSALS[response["refusal"]]
    return KeyRecord(body_digest, refusal=refusal(problems) if problems else refusal())


def _refusal_to_json(refusal: ShopError) -> dict[str, Any]:
    problems = [[problem.field, problem.message] for problem in refusal.problems]
    return {"refusal": type(refusal).__name__, "problems": problems}


def _order_to_json(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "customer_id": order.customer_id,
        "items": [[i.product_id, i.name, i.quantity, str(i.unit_price)] for i in order.items],
        "total": str(order.total),
        "status": order.status.value,
        "payment_status": order.payment_status.value,
        "notes": order.notes,
        "created_at": order.created_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
        "version": order.version,
    }


def _order_from_json(values: dict[str, Any]) -> Order:
    items = tuple(
        OrderItem(product_id, name, quantity, Decimal(price))
        for product_id, name, quantity, price in values["items"]
    )
    return Order(
        **values
        | {
            "items": items,
            "total": Decimal(values["total"]),
            "status": OrderStatus(values["status"]),
            "payment_status": PaymentStatus(values["payment_status"]),
            "created_at": datetime.fromisoformat(values["created_at"]),
            "updated_at": datetime.fromisoformat(values["updated_at"]),
        }
    )
