"""Imports of the catalogue."""

from marshmallow import Schema, fields

from app.web.fields import OneOf, RequestSchema
from app.web.schemas.scraping import Changes
from scraper.csv_table import MAX_FAULTS

_YES = ("1", "true")
_CHOICES = (*_YES, "0", "false")


def is_yes(value: str) -> bool:
    return value in _YES


class ImportQuery(RequestSchema):
    ensaio = OneOf(
        *_CHOICES, load_default="0", metadata={"description": "Com `1`, só diz o que mudaria", "example": "1"}
    )
    parcial = OneOf(
        *_CHOICES,
        load_default="0",
        metadata={
            "description": "Com `1`, linhas com falhas não impedem as outras; havendo alguma, nenhum livro sai"
        },
    )


class Refusal(Schema):
    linha = fields.Integer(
        required=True,
        metadata={"description": "Como um editor as conta, onde a linha do livro começa", "example": 7},
    )
    coluna = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "null onde a falha é da linha inteira", "example": "preco_com_taxa"},
    )
    motivo = fields.String(required=True, metadata={"example": "vazia"})


class Imported(Schema):
    aceitas = fields.Integer(required=True, metadata={"description": "Linhas sem falhas", "example": 1000})
    recusadas = fields.List(
        fields.Nested(Refusal),
        required=True,
        metadata={"description": f"Cada falha de cada linha, até {MAX_FAULTS}"},
    )
    recusadas_omitidas = fields.Integer(
        required=True, metadata={"description": "Falhas além dessas", "example": 0}
    )
    diferenca = fields.Nested(
        Changes, required=True, metadata={"description": "Os livros que mudaram, ou que mudariam"}
    )
    versao = fields.Integer(
        required=True,
        metadata={"description": "A versão do catálogo depois; a mesma onde nada muda", "example": 2},
    )
    impedimento = fields.String(
        allow_none=True, metadata={"description": "Só no ensaio: por que a importação seria recusada"}
    )
