"""The simulation of trouble."""

from typing import Any

from marshmallow import Schema, fields

from app.web.fields import MAX_ID, Fraction, JsonInteger, RequestSchema

LONGEST_MS = 60_000


def _share(text: str) -> dict[str, Any]:
    return {"metadata": {"description": f"Fração {text}", "example": 0.1}}


class NewSimulation(RequestSchema):
    """What is not sent is off."""

    taxa_pagamento_negado = Fraction(load_default=0.0, **_share("dos pagamentos que é negada (402)"))
    taxa_erro_pagamento = Fraction(load_default=0.0, **_share("dos pagamentos que falha (502)"))
    latencia_pagamento_ms = JsonInteger(low=0, high=LONGEST_MS, load_default=0, metadata={"example": 200})
    taxa_falha_estoque = Fraction(load_default=0.0, **_share("dos pedidos cujo estoque falha (409)"))
    taxa_erro_interno = Fraction(load_default=0.0, **_share("das requisições de pedidos com erro 500"))
    taxa_lentidao = Fraction(load_default=0.0, **_share("das requisições de pedidos que demora"))
    lentidao_ms = JsonInteger(low=0, high=LONGEST_MS, load_default=2_000, metadata={"example": 2000})
    semente = JsonInteger(
        low=0,
        high=MAX_ID,
        load_default=None,
        allow_none=True,
        metadata={"description": "Repete os mesmos acasos em cada processo", "example": 7},
    )


class ShownSimulation(Schema):
    taxa_pagamento_negado = fields.Float(required=True)
    taxa_erro_pagamento = fields.Float(required=True)
    latencia_pagamento_ms = fields.Integer(required=True)
    taxa_falha_estoque = fields.Float(required=True)
    taxa_erro_interno = fields.Float(required=True)
    taxa_lentidao = fields.Float(required=True)
    lentidao_ms = fields.Integer(required=True)
    semente = fields.Integer(required=True, allow_none=True)
