"""`/orders`: buying the books of the catalogue."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import InvalidInput
from app.core.orders import Line, Order, OrderStatus
from app.observability.logs.handlers import request_id
from app.services.orders import Draft, Placed
from app.storage.orders import OrderFilter
from app.web import pagination
from app.web.access import Access, actor, knows_api_key
from app.web.context import shop
from app.web.endpoint import Answer, Operation, operation
from app.web.error_handlers import ORDERS_PATH, problem_response
from app.web.idempotency import key_use
from app.web.presenters.orders import present_order, present_order_detail
from app.web.responses import expected_versions, tag_version
from app.web.schemas.orders import (
    ChangedOrder,
    NewOrder,
    NewStatus,
    OrderChanges,
    OrderDetail,
    OrderList,
    OrdersQuery,
    PlacedOrder,
)

orders = Blueprint("orders", __name__, url_prefix=ORDERS_PATH)
TAG = "Pedidos"


@orders.post("")
@operation(
    Operation(
        tag=TAG,
        summary="Cria um pedido",
        description=(
            "Reserva o estoque, cobra e confirma; se o pagamento é negado (402), falha (502) ou não responde a tempo "
            "(504), o estoque volta a ser o que era. Com `Idempotency-Key`, repetir a requisição devolve a primeira "
            "resposta (`Idempotent-Replayed: true`) por 24 horas: outro corpo é 422, e 409 enquanto a primeira não "
            "termina. Cartões de teste em `payment.token`: `tok_approved`, `tok_denied`, `tok_error`, `tok_timeout`."
        ),
        access=Access.API_KEY,
        body=NewOrder(),
        request_headers=("Idempotency-Key",),
        answers={201: Answer("O pedido, pago e aceito", PlacedOrder(), headers=("Location", "ETag"))},
        errors=(402, 404, 409, 422, 502, 504),
    )
)
def place_order(body: dict[str, Any]) -> ResponseReturnValue:
    use = key_use(body)
    earlier = shop().orders.answered(use) if use else None
    if earlier:
        return _placed(earlier)
    shop().simulation.disturb_order()
    draft = Draft(
        customer_id=body["customer_id"],
        lines=tuple(Line(line["product_id"], line["quantity"]) for line in body["items"]),
        notes=body.get("notes"),
        token=body.get("payment", {}).get("token"),
    )
    return _placed(shop().orders.place(draft, use, actor()))


@orders.get("/<order_id>")
@operation(
    Operation(
        tag=TAG,
        summary="Detalha um pedido",
        description=(
            "Quem tem o id pode ver o pedido; os nomes de quem o alterou, só quem também envia a chave. "
            "A `ETag` serve em `If-Match` para alterá-lo."
        ),
        access=Access.PUBLIC,
        answers={200: Answer("O pedido e a sua história", OrderDetail(), headers=("ETag",))},
        errors=(404,),
    )
)
def show_order(order_id: str) -> ResponseReturnValue:
    order = shop().orders.order(order_id)
    return tag_version(jsonify(present_order_detail(order, names_staff=knows_api_key())), order.version)


@orders.get("")
@operation(
    Operation(
        tag=TAG,
        summary="Lista os pedidos",
        description=f"Do mais novo ao mais antigo, {pagination.DEFAULT_PER_PAGE} por página se nada for dito.",
        access=Access.API_KEY,
        query=OrdersQuery(),
        answers={200: Answer("Os pedidos", OrderList(), headers=pagination.HEADERS)},
    )
)
def list_orders(query: dict[str, Any]) -> ResponseReturnValue:
    query.setdefault("page", 1)
    first, end = pagination.page_bounds(query, 0)
    if "since" in query and "until" in query and query["since"] > query["until"]:
        raise InvalidInput.of("since", "não pode ser depois de until")
    status = query.get("status")
    wanted = OrderFilter(
        status=OrderStatus(status) if status else None,
        customer_id=query.get("customer_id"),
        since=query.get("since"),
        until=query.get("until"),
    )
    found, total = shop().orders.orders(wanted, first, end - first)
    return (
        {"success": True, "orders": [present_order(order) for order in found]},
        pagination.page_headers(query, total),
    )


@orders.put("/<order_id>/status")
@operation(
    Operation(
        tag=TAG,
        summary="Muda o estado de um pedido",
        description=(
            "pending → processed → shipped → delivered → returned; pending → shipped; pending ou processed → "
            "cancelled; shipped → returned. Cancelar ou devolver repõe o estoque e estorna o pagamento. Pedir o "
            "estado atual não muda nada. Um token de acesso ao lado da chave diz, na história, quem mudou."
        ),
        access=Access.API_KEY,
        body=NewStatus(),
        request_headers=("If-Match",),
        answers={200: Answer("O pedido", ChangedOrder(), headers=("ETag",))},
        errors=(404, 409, 412),
    )
)
def change_order_status(order_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    shop().simulation.disturb_update()
    return _change(order_id, body)


@orders.patch("/<order_id>")
@operation(
    Operation(
        tag=TAG,
        summary="Altera um pedido",
        description="Cliente, observações ou estado; o que não for enviado fica como está.",
        access=Access.API_KEY,
        body=OrderChanges(),
        request_headers=("If-Match",),
        answers={200: Answer("O pedido", ChangedOrder(), headers=("ETag",))},
        errors=(404, 409, 412),
    )
)
def edit_order(order_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    if not body:
        raise InvalidInput.of("corpo", "deve ter customer_id, notes ou status")
    shop().simulation.disturb_update()
    return _change(order_id, body)


def _placed(placed: Placed) -> Response:
    status, body = placed.answer["status"], placed.answer["body"]
    if status >= 400:
        response = problem_response(body | {"request_id": request_id.get()})
    else:
        response = tag_version(jsonify(body), body["version"])
        response.status_code = status
        response.location = url_for("orders.show_order", order_id=body["order_id"])
    if placed.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _change(order_id: str, body: dict[str, Any]) -> Response:
    fields = {name: value for name, value in body.items() if name != "status"}
    status = OrderStatus(body["status"]) if "status" in body else None
    order: Order = shop().orders.change(order_id, status, fields, expected_versions(), actor())
    message = {"success": True, "message": "Pedido atualizado com sucesso!"}
    return tag_version(jsonify(message | present_order_detail(order, names_staff=True)), order.version)
