"""Orders."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from app.core.orders import MAX_QUANTITY, REQUESTABLE, OrderStatus, PaymentStatus
from app.simulation.gateway import CardToken
from app.web.context import shop
from app.web.fields import (
    BoundedInteger,
    Cursor,
    DateTime,
    JsonInteger,
    MultilineText,
    OneOf,
    PrintableText,
    ProductId,
    RequestSchema,
    Text,
)
from app.web.pagination import MAX_PER_PAGE, PageQuery

CUSTOMER_MAX = 100
NOTES_MAX = 1_000


class NewLine(RequestSchema):
    product_id = ProductId(
        required=True, metadata={"description": "O id de um livro, número ou dígitos", "example": 0}
    )
    quantity = JsonInteger(required=True, low=1, high=MAX_QUANTITY, metadata={"example": 2})


class NewPayment(RequestSchema):
    token = OneOf(
        *CardToken,
        metadata={"description": "Um cartão de teste de resultado certo; sem ele, vale a simulação"},
    )


class Lines(fields.List[Any]):
    """Counted before they are read: a body full of bad lines must not cost a report on each."""

    documented = {"minItems": 1}  # its maximum is a setting

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        most = shop().settings.order_max_items
        if isinstance(value, list) and not 1 <= len(value) <= most:
            raise self.make_error("length", most=most)
        lines: list[Any] = super()._deserialize(value, attr, data, **kwargs)
        return lines


class NewOrder(RequestSchema):
    customer_id = PrintableText(required=True, low=1, high=CUSTOMER_MAX, metadata={"example": "cliente-42"})
    items = Lines(
        fields.Nested(
            NewLine, error_messages={"null": "não pode ser nulo", "type": "deve ser um objeto JSON"}
        ),
        required=True,
        error_messages={
            "required": "campo obrigatório",
            "null": "não pode ser nulo",
            "invalid": "deve ser uma lista",
            "length": "deve ter de 1 a {most} itens",
        },
        metadata={"description": "Linhas do mesmo produto são somadas"},
    )
    notes = MultilineText(high=NOTES_MAX, allow_none=True, metadata={"example": "Entregar à tarde"})
    payment = fields.Nested(
        NewPayment, error_messages={"null": "não pode ser nulo", "type": "deve ser um objeto JSON"}
    )


class NewStatus(RequestSchema):
    status = OneOf(*REQUESTABLE, required=True, metadata={"example": "shipped"})


class OrderChanges(RequestSchema):
    customer_id = PrintableText(low=1, high=CUSTOMER_MAX, metadata={"example": "cliente-42"})
    notes = MultilineText(high=NOTES_MAX, allow_none=True, metadata={"example": "Entregar à tarde"})
    status = OneOf(*REQUESTABLE, metadata={"example": "shipped"})

    @validates_schema(skip_on_field_errors=True)
    def require_a_change(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if not data:
            raise ValidationError("deve ter customer_id, notes ou status")


class OrderCursor(Cursor):
    pattern = "^[0-9]{1,17}[.]ORDER-[A-Z2-7]{26}$"


class OrdersQuery(PageQuery):
    limit = BoundedInteger(
        low=1,
        high=MAX_PER_PAGE,
        metadata={"description": "Quantos pedidos, para seguir por `cursor` em vez de `page`", "example": 20},
    )
    cursor = OrderCursor(
        low=1, high=100, metadata={"description": "De onde continuar, como diz o `Link` anterior"}
    )
    status = OneOf(*OrderStatus, metadata={"description": "Só os pedidos neste estado"})
    customer_id = Text(low=1, high=CUSTOMER_MAX, metadata={"description": "Só os deste cliente"})
    since = DateTime(metadata={"description": "Criados a partir daqui", "example": "2026-11-22"})
    until = DateTime(metadata={"description": "Criados antes daqui", "example": "2026-11-23T00:00:00Z"})

    @validates_schema(skip_on_field_errors=True)
    def require_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "since" in data and "until" in data and data["since"] > data["until"]:
            raise ValidationError("não pode ser depois de until", "since")
        if data.keys() & {"cursor", "limit"} and data.keys() & {"page", "per_page"}:
            raise ValidationError(
                "não combina com page nem per_page", "cursor" if "cursor" in data else "limit"
            )


class ShownItem(Schema):
    product_id = fields.Integer(required=True, metadata={"example": 0})
    name = fields.String(required=True, metadata={"example": "A Light in the Attic"})
    quantity = fields.Integer(required=True, metadata={"example": 2})
    price_unit = fields.Float(
        required=True, metadata={"description": "Libras, com taxa, como no dia da compra", "example": 51.77}
    )


class ShownOrder(Schema):
    order_id = fields.String(required=True, metadata={"example": "ORDER-7Q3EXAMPLEEXAMPLEEXAMPLE7Q"})
    customer_id = fields.String(required=True, metadata={"example": "cliente-42"})
    items = fields.List(fields.Nested(ShownItem), required=True)
    total_amount = fields.Float(required=True, metadata={"description": "Libras, exato", "example": 103.54})
    status = fields.String(required=True, metadata={"enum": list(OrderStatus)})
    payment_status = fields.String(
        required=True,
        metadata={
            "enum": list(PaymentStatus),
            "description": "`voiding` está para ser estornado; `voided` já foi",
        },
    )
    notes = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True, metadata={"description": "UTC"})
    last_updated_at = fields.DateTime(required=True, metadata={"description": "UTC"})
    version = fields.Integer(required=True, metadata={"description": "Também na ETag", "example": 2})


class _ShownChange(Schema):
    at = fields.DateTime(required=True, metadata={"description": "UTC"})
    by = fields.String(
        required=True,
        metadata={
            "description": "O usuário (`equipe` para quem não tem a chave), `chave-api`, `pagamento` ou `recuperacao`",
            "example": "admin",
        },
    )
    to = fields.String(required=True, metadata={"enum": list(OrderStatus)})


# A keyword and the module's name, which the class can't have as attributes.
ShownChange = _ShownChange.from_dict(
    {
        "from": fields.String(required=True, allow_none=True, metadata={"description": "Nulo no começo"}),
        "fields": fields.List(
            fields.String(metadata={"enum": ["customer_id", "notes"]}),
            metadata={"description": "Só para quem tem a chave: o que uma alteração mudou, sem os valores"},
        ),
    },
    name="ShownChange",
)


class OrderDetail(ShownOrder):
    history = fields.List(fields.Nested(ShownChange), required=True)


class PlacedOrder(ShownOrder):
    success = fields.Boolean(required=True)
    message = fields.String(required=True, metadata={"example": "Pedido criado com sucesso!"})


class ChangedOrder(OrderDetail):
    success = fields.Boolean(required=True)
    message = fields.String(required=True, metadata={"example": "Pedido atualizado com sucesso!"})


class OrderList(Schema):
    success = fields.Boolean(required=True)
    orders = fields.List(fields.Nested(ShownOrder), required=True)
