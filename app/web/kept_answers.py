"""How the answers to orders are written, so that a retry with the same Idempotency-Key reads the first one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from app.core.errors import ShopError
from app.core.orders import Order
from app.web.error_handlers import members_of
from app.web.presenters.orders import present_order


class KeptAnswers:
    """Writes answers as JSON objects of `status` and `body`, with or without a request at hand."""

    def placed(self, order: Order) -> dict[str, Any]:
        body = {"success": True, "message": "Pedido criado com sucesso!", **present_order(order)}
        return {"status": HTTPStatus.CREATED.value, "body": body}

    def refused(self, error: ShopError) -> dict[str, Any]:
        body = {**members_of(error), "success": False, "message": error.detail}
        return {"status": body["status"], "body": body}
