"""The schedule of scrapes."""

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields

from app.core.schedule import (
    MAX_EXPRESSION_CHARS,
    MAX_JITTER_S,
    MAX_ZONE_CHARS,
    parse_expression,
    parse_zone,
)
from app.web.fields import JsonBoolean, JsonInteger, RequestSchema, Text


class CronExpression(Text):
    """A cron expression of five fields."""

    pattern = r"^ *[0-9A-Za-z*/,#-]+( +[0-9A-Za-z*/,#-]+){4} *$"
    default_error_messages = {
        "pattern": "deve ter cinco campos (minuto, hora, dia do mês, mês, dia da semana), como 0 3 * * *"
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return _parsed(parse_expression, super()._deserialize(value, attr, data, **kwargs))


class TimeZone(Text):
    """The name of a time zone."""

    pattern = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$"
    default_error_messages = {"pattern": "não é um fuso conhecido, como America/Sao_Paulo ou UTC"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return _parsed(parse_zone, super()._deserialize(value, attr, data, **kwargs))


def _parsed(parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class NewSchedule(RequestSchema):
    """What is not sent stays as it is."""

    agenda = CronExpression(
        low=9,
        high=MAX_EXPRESSION_CHARS,
        allow_none=True,
        metadata={
            "description": "Expressão cron: minuto, hora, dia do mês, mês, dia da semana; null para nenhuma",
            "example": "0 3 * * *",
        },
    )
    fuso = TimeZone(
        low=1,
        high=MAX_ZONE_CHARS,
        metadata={"description": "O fuso da agenda", "example": "America/Sao_Paulo"},
    )
    jitter_s = JsonInteger(
        low=0,
        high=MAX_JITTER_S,
        metadata={"description": "O maior atraso sorteado, em segundos", "example": 300},
    )
    ativa = JsonBoolean(metadata={"description": "false pausa a agenda, true a retoma", "example": True})


class ShownSchedule(Schema):
    agenda = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Expressão cron; null se não há agenda", "example": "0 3 * * *"},
    )
    fuso = fields.String(required=True, metadata={"example": "America/Sao_Paulo"})
    jitter_s = fields.Integer(required=True, metadata={"example": 300})
    ativa = fields.Boolean(required=True, metadata={"description": "false enquanto está pausada"})
    proxima_execucao = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "UTC, com o atraso sorteado; no passado, enquanto espera outro scraping"},
    )
    ultima_execucao = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "UTC, quando a agenda iniciou um scraping pela última vez"},
    )
    origem = fields.String(
        required=True,
        metadata={
            "enum": ["ambiente", "operador"],
            "description": "De onde vem: SCRAPER_SCHEDULE e SCRAPER_JITTER_S, ou o último PUT",
        },
    )
