"""The log."""

from marshmallow import INCLUDE, Schema, fields

from app.web.fields import MAX_ID, BoundedInteger, Cursor, DateTime, HttpStatus, OneOf, RequestSchema, Text

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class LogsQuery(RequestSchema):
    limit = BoundedInteger(
        low=1,
        high=MAX_LIMIT,
        load_default=DEFAULT_LIMIT,
        metadata={"description": f"Quantos registros (até {MAX_LIMIT})"},
    )
    levelname = OneOf(*LEVELS, metadata={"description": "Só os deste nível", "example": "ERROR"})
    status = HttpStatus(
        low=3,
        high=3,
        metadata={"description": "Um status, como `404`, ou uma classe, como `4xx`", "example": "4xx"},
    )
    route = Text(
        low=1,
        high=200,
        metadata={
            "description": "O modelo da rota; `unmatched` para endereços desconhecidos",
            "example": "/api/v1/books/<int:book_idx>",
        },
    )
    user = BoundedInteger(
        low=0, high=MAX_ID, metadata={"description": "O id do usuário do token", "example": 1}
    )
    request_id = Text(low=1, high=64, metadata={"description": "O X-Request-ID de uma resposta"})
    text = Text(low=1, high=200, metadata={"description": "Um trecho literal de qualquer texto do registro"})
    since = DateTime(metadata={"description": "Escritos a partir daqui", "example": "2026-11-22"})
    until = DateTime(metadata={"description": "Escritos antes daqui", "example": "2026-11-23T00:00:00Z"})
    cursor = Cursor(
        low=1, high=200, metadata={"description": "De onde continuar, como diz o `Link` anterior"}
    )
    format = OneOf("json", "ndjson", metadata={"description": "`ndjson` vale o mesmo que o cabeçalho Accept"})
    tail = OneOf(
        "true",
        "false",
        load_default="false",
        metadata={"description": "Com NDJSON: mantém a conexão aberta e envia o que for escrito"},
    )


class LogLine(Schema):
    """The fields of an event beyond these depend on the event."""

    class Meta:
        unknown = INCLUDE

    timestamp = fields.DateTime(metadata={"description": "UTC"})
    levelname = fields.String(metadata={"enum": list(LEVELS)})
    name = fields.String(
        metadata={"description": "O módulo que escreveu o registro", "example": "app.web.middleware"}
    )
    message = fields.String(
        metadata={"description": "O nome do evento: `request` para uma requisição", "example": "request"}
    )
    remote_addr = fields.String(allow_none=True, metadata={"example": "127.0.0.1"})
    method = fields.String(metadata={"example": "GET"})
    path = fields.String(
        metadata={"description": "Com `*` no que poderia ser um segredo", "example": "/api/v1/books/888"}
    )
    status = fields.Raw(metadata={"description": "O status HTTP, ou o estado de que o evento fala"})
    duration = fields.Float(metadata={"description": "Em segundos", "example": 0.0012})
    user = fields.Integer(allow_none=True, metadata={"description": "O id de quem era o token"})
    request_id = fields.String(metadata={"description": "`-` fora de uma requisição"})
    route = fields.String(metadata={"example": "/api/v1/books/<int:book_idx>"})
    bytes = fields.Integer(metadata={"description": "Tamanho do corpo da resposta"})
    exception = fields.String(metadata={"description": "O rastro de um erro"})
