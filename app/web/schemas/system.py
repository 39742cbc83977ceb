"""The shop itself."""

from marshmallow import Schema, fields


class Health(Schema):
    status = fields.String(required=True, metadata={"enum": ["healthy"]})
    message = fields.String(required=True)
    origem = fields.String(
        required=True,
        metadata={
            "enum": ["demonstracao", "scraping", "importacao"],
            "description": "De onde veio o catálogo publicado",
        },
    )
    fonte = fields.String(required=True, metadata={"description": "O site do último scraping publicado"})
    livros = fields.Integer(required=True, metadata={"example": 1000})
    versao_catalogo = fields.Integer(required=True, metadata={"example": 1})
    publicado_em = fields.DateTime(required=True, metadata={"description": "UTC"})
    banco = fields.String(required=True, metadata={"enum": ["ok"]})
    scraping = fields.String(required=True, metadata={"description": "Como em /api/v1/scraping/status"})


class Pulse(Schema):
    status = fields.String(required=True, metadata={"enum": ["alive", "ready"]})


class Welcome(Schema):
    message = fields.String(required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
