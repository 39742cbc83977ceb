"""A book's history, and what publications changed."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from app.core.history import BookChange
from app.web.fields import BoundedInteger, Cursor, DateTime, DecimalAmount, OneOf, Text
from app.web.formats import FormatQuery
from app.web.pagination import MAX_PER_PAGE

KINDS = {kind.word: kind for kind in BookChange}
MEASURED = (BookChange.PRICE.word, BookChange.STOCK.word)
_VALUE = {"anyOf": [{"type": "number", "nullable": True}, {"type": "object"}], "nullable": True}


class ChangeCursor(Cursor):
    pattern = "^[0-9]{1,9}[.][0-9]{1,9}[.](1|2|4|8|16|32)$"


class ChangesQuery(FormatQuery):
    tipo = OneOf(*KINDS, metadata={"description": "Só as mudanças deste tipo"})
    categoria = Text(
        low=1,
        high=300,
        metadata={
            "description": "Só livros que então eram desta categoria: o nome inteiro, sem acento nem caixa",
        },
    )
    minimo = DecimalAmount(
        metadata={
            "description": "A menor diferença: em libras, de preços com taxa, ou em exemplares, de estoques",
        }
    )
    since = DateTime(metadata={"description": "Publicadas a partir daqui, como `2026-11-22`"})
    until = DateTime(metadata={"description": "Publicadas antes daqui, como `2026-11-23T00:00:00Z`"})
    limit = BoundedInteger(
        low=1, high=MAX_PER_PAGE, metadata={"description": "Quantas mudanças", "example": 20}
    )
    cursor = ChangeCursor(
        low=1, high=30, metadata={"description": "De onde continuar, como diz o `Link` anterior"}
    )

    @validates_schema(skip_on_field_errors=True)
    def require_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "since" in data and "until" in data and data["since"] > data["until"]:
            raise ValidationError("não pode ser depois de until", "since")
        if "minimo" in data and data.get("tipo", MEASURED[0]) not in MEASURED:
            raise ValidationError("só combina com tipo preco ou estoque", "minimo")


class ShownObservation(Schema):
    versao = fields.Integer(required=True, metadata={"description": "A publicação", "example": 12})
    observado_em = fields.DateTime(required=True, metadata={"description": "Quando foi publicada, em UTC"})
    preco_com_taxa = fields.Float(required=True, metadata={"description": "Libras", "example": 51.77})
    preco_sem_taxa = fields.Float(required=True, metadata={"description": "Libras", "example": 51.77})
    disponibilidade = fields.Integer(
        required=True, metadata={"description": "O estoque publicado", "example": 22}
    )
    listado = fields.Boolean(
        required=True, metadata={"description": "Se estava à venda; se não, os valores são os últimos"}
    )


class ShownChangeOfBook(Schema):
    versao = fields.Integer(required=True, metadata={"description": "A publicação", "example": 12})
    observado_em = fields.DateTime(required=True, metadata={"description": "Quando foi publicada, em UTC"})
    id = fields.Integer(required=True, metadata={"description": "O do livro", "example": 0})
    titulo = fields.String(
        required=True, metadata={"description": "Como naquela versão", "example": "A Light in the Attic"}
    )
    categoria = fields.String(
        required=True, metadata={"description": "Como naquela versão", "example": "Poetry"}
    )
    tipo = fields.String(required=True, metadata={"enum": [*KINDS]})
    antes = fields.Raw(
        required=True,
        metadata={
            **_VALUE,
            "description": (
                "`preco`, `removido` e `voltou`: o preço com taxa de antes; `estoque`: os exemplares; `texto`: um "
                "objeto com os campos editados; `adicionado`: nulo"
            ),
            "example": 53.74,
        },
    )
    depois = fields.Raw(
        required=True,
        metadata={**_VALUE, "description": "O mesmo, de depois; `removido`: nulo", "example": 51.77},
    )
