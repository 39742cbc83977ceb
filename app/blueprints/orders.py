"""`/orders`: buying the books of the catalogue."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from app.core.orders import Line, Order, OrderStatus
from app.observability.metrics import RequestKind
from app.services.orders import Draft
from app.storage.orders import OrderFilter, OrderPlace
from app.web import pagination
from app.web.access import Access, actor, knows_api_key
from app.web.context import shop
from app.web.endpoint import operation
from app.web.error_handlers import ORDERS_PATH
from app.web.idempotency import idempotency_key
from app.web.presenters.orders import (
    present_changed_order,
    present_order,
    present_order_detail,
    present_placed_order,
)
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
_OPERATIONS = ("get_orders_order_id", "put_orders_order_id_status", "patch_orders_order_id")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@orders.post("")
@operation(
    "Cria um pedido",
    description=(
        "Reserva o estoque, cobra e confirma; se o pagamento é negado (402), falha (502) ou não responde a tempo "
        "(504), o estoque volta a ser o que era. Com `Idempotency-Key`, repetir a requisição devolve a primeira "
        "resposta (`Idempotent-Replayed: true`) por 24 horas: outro corpo é 422, e 409 enquanto a primeira não "
        "termina. Cartões de teste em `payment.token`: `tok_approved`, `tok_denied`, `tok_error`, `tok_timeout`."
    ),
    access=Access.API_KEY,
    body=NewOrder(),
    request_headers=("Idempotency-Key",),
    status=201,
    ok="O pedido, pago e aceito",
    response=PlacedOrder(),
    response_headers=("Location", "ETag"),
    links={name: {"order_id": "$response.body#/order_id"} for name in _OPERATIONS},
    errors=(402, 404, 409, 422, 502, 504),
    kind=RequestKind.ORDER_CREATE,
)
def place_order(body: dict[str, Any]) -> ResponseReturnValue:
    draft = Draft(
        customer_id=body["customer_id"],
        lines=tuple(Line(line["product_id"], line["quantity"]) for line in body["items"]),
        notes=body.get("notes"),
        token=body.get("payment", {}).get("token"),
    )
    placed = shop().orders.place(draft, idempotency_key(body), actor())
    response = tag_version(jsonify(present_placed_order(placed.order)), placed.order.version)
    response.status_code = 201
    response.location = url_for("orders.show_order", order_id=placed.order.id)
    if placed.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


@orders.get("/<order_id>")
@operation(
    "Detalha um pedido",
    description=(
        "Quem tem o id pode ver o pedido; os nomes de quem o alterou, só quem também envia a chave. "
        "A `ETag` serve em `If-Match` para alterá-lo."
    ),
    access=Access.PUBLIC,
    ok="O pedido e a sua história",
    response=OrderDetail(),
    response_headers=("ETag",),
    errors=(404,),
)
def show_order(order_id: str) -> ResponseReturnValue:
    order = shop().orders.order(order_id)
    return tag_version(jsonify(present_order_detail(order, names_staff=knows_api_key())), order.version)


@orders.get("")
@operation(
    "Lista os pedidos",
    description=(
        f"Do mais novo ao mais antigo, {pagination.DEFAULT_PER_PAGE} por página se nada for dito. Com `limit`, o "
        "`next` de `Link` traz um `cursor`: nada se repete nem se pula quando pedidos chegam entre duas páginas."
    ),
    access=Access.API_KEY,
    query=OrdersQuery(),
    ok="Os pedidos",
    response=OrderList(),
    response_headers=pagination.HEADERS,
    links={name: {"order_id": "$response.body#/orders/0/order_id"} for name in _OPERATIONS},
)
def list_orders(query: dict[str, Any]) -> ResponseReturnValue:
    order_filter = OrderFilter(
        status=OrderStatus(query["status"]) if "status" in query else None,
        customer_id=query.get("customer_id"),
        since=query.get("since"),
        until=query.get("until"),
    )
    if "cursor" in query or "limit" in query:
        limit = pagination.items_asked_for(query, "limit")
        place = _place_of(query["cursor"]) if "cursor" in query else None
        page, total = shop().orders.orders(order_filter, 0, limit + 1, place)
        headers = {"X-Total-Count": str(total)}
        if len(page) > limit:
            headers["Link"] = pagination.next_link(_cursor_after(page[limit - 1]))
        return _listed(page[:limit]), headers
    query = {"page": 1} | query  # the list of all orders has no bound
    first, end = pagination.page_bounds(query, 0)
    page, total = shop().orders.orders(order_filter, first, end - first)
    return _listed(page), pagination.page_headers(query, total)


@orders.put("/<order_id>/status")
@operation(
    "Muda o estado de um pedido",
    description=(
        "pending → processed → shipped → delivered → returned; pending → shipped; pending ou processed → "
        "cancelled; shipped → returned. Cancelar ou devolver repõe o estoque e estorna o pagamento. Pedir o "
        "estado atual não muda nada. Um token de acesso ao lado da chave diz, na história, quem mudou."
    ),
    access=Access.API_KEY,
    body=NewStatus(),
    request_headers=("If-Match",),
    ok="O pedido",
    response=ChangedOrder(),
    response_headers=("ETag",),
    errors=(404, 409, 412),
    kind=RequestKind.ORDER_UPDATE,
)
def change_order_status(order_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    return _change(order_id, body)


@orders.patch("/<order_id>")
@operation(
    "Altera um pedido",
    description="Cliente, observações ou estado; o que não for enviado fica como está.",
    access=Access.API_KEY,
    body=OrderChanges(),
    request_headers=("If-Match",),
    ok="O pedido",
    response=ChangedOrder(),
    response_headers=("ETag",),
    errors=(404, 409, 412),
    kind=RequestKind.ORDER_UPDATE,
)
def edit_order(order_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    return _change(order_id, body)


def _listed(page: list[Order]) -> dict[str, Any]:
    return {"success": True, "orders": [present_order(order) for order in page]}


def _cursor_after(order: Order) -> str:
    return f"{(order.created_at - _EPOCH) // timedelta(microseconds=1)}.{order.id}"


def _place_of(cursor: str) -> OrderPlace:
    microseconds, _, order_id = cursor.partition(".")
    return OrderPlace(_EPOCH + timedelta(microseconds=int(microseconds)), order_id)


def _change(order_id: str, body: dict[str, Any]) -> Response:
    fields = {name: value for name, value in body.items() if name != "status"}
    status = OrderStatus(body["status"]) if "status" in body else None
    order = shop().orders.change(order_id, status, fields, expected_versions(), actor())
    return tag_version(jsonify(present_changed_order(order)), order.version)
