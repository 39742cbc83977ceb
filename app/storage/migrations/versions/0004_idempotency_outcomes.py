"""Idempotency keys keep the outcome of their request instead of its HTTP response."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEYS = sa.table(
    "idempotencia", sa.column("chave", sa.String), sa.column("resposta", sa.JSON(none_as_null=True))
)
_REFUSALS = {402: "PaymentDenied", 404: "ProductsNotFound", 409: "OutOfStock"}


def upgrade() -> None:
    connection = op.get_bind()
    for key, response in connection.execute(sa.select(_KEYS)).all():
        if response is not None and "status" in response:
            outcome = _outcome(response["status"], response["body"])
            connection.execute(_KEYS.update().where(_KEYS.c.chave == key).values(resposta=outcome))


def downgrade() -> None:
    """Leave the outcomes: the older release fails a retry of the last 24 hours instead of selling twice."""


def _outcome(status: int, body: dict[str, Any]) -> dict[str, Any]:
    if status >= 400:
        problems = [[problem["field"], problem["message"]] for problem in body.get("errors", ())]
        return {"refusal": _REFUSALS[status], "problems": problems}
    names = ("customer_id", "status", "payment_status", "notes", "created_at", "version")
    order = {name: body[name] for name in names} | {
        "id": body["order_id"],
        "items": [
            [item["product_id"], item["name"], item["quantity"], f"{item['price_unit']:.2f}"]
            for item in body["items"]
        ],
        "total": f"{body['total_amount']:.2f}",
        "updated_at": body["last_updated_at"],
    }
    return {"order": order}
