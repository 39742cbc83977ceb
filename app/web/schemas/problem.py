"""The one shape of errors."""

from marshmallow import Schema, fields

from app.web.schemas.imports import Refusal


class FieldProblemShape(Schema):
    field = fields.String(required=True, metadata={"example": "username"})
    message = fields.String(required=True, metadata={"example": "campo obrigatório"})


class Problem(Schema):
    """RFC 9457 problem details, with the seeds' `error` and what operators ask for."""

    type = fields.String(required=True, metadata={"example": "about:blank"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "O que aconteceu, em uma frase"})
    error = fields.String(required=True, metadata={"description": "O mesmo que detail"})
    error_type = fields.String(required=True, metadata={"description": "O rótulo em api_errors_total"})
    request_id = fields.String(required=True, metadata={"description": "Também em X-Request-ID e no log"})
    success = fields.Boolean(metadata={"description": "Sempre false; só nas rotas de pedidos"})
    message = fields.String(metadata={"description": "O mesmo que detail; só nas rotas de pedidos"})
    errors = fields.List(
        fields.Nested(FieldProblemShape), metadata={"description": "Um item por campo errado"}
    )
    aceitas = fields.Integer(metadata={"description": "Só nas importações: linhas sem falhas"})
    recusadas = fields.List(
        fields.Nested(Refusal),
        metadata={"description": "Só nas importações: o que há de errado com as linhas"},
    )
    recusadas_omitidas = fields.Integer(metadata={"description": "Só nas importações: falhas além dessas"})
