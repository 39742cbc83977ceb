"""Marshmallow fields that read strictly, with messages in Portuguese."""

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import Schema, fields, validate

MAX_ID = 2**31 - 1
"""The largest value of an id's column."""
# Invisible letters and marks: Hangul fillers, the grapheme joiner, Khmer vowels, the Braille blank.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_REQUIRED = {"required": "campo obrigatório", "null": "não pode ser nulo"}


class RequestSchema(Schema):
    """The base of what clients send; an unknown name in a body is refused."""

    error_messages = {"unknown": "campo desconhecido", "type": "deve ser um objeto JSON"}


class Text(fields.String):
    """A string of bounded length without control characters."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser um texto",
        "control": "tem caracteres de controle",
    }

    allowed_controls = ""

    def __init__(self, *, low: int = 0, high: int, **kwargs: Any) -> None:
        length = validate.Length(min=low, max=high, error=f"deve ter de {low} a {high} caracteres")
        super().__init__(validate=length, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if any(unicodedata.category(char) == "Cc" and char not in self.allowed_controls for char in text):
            raise self.make_error("control")
        return text


class MultilineText(Text):
    """A text that may hold line ends and tabs."""

    allowed_controls = "\n\r\t"


class PrintableText(Text):
    """A printable text without spaces at its ends."""

    default_error_messages = {"invisible": "tem caracteres invisíveis ou espaços nas pontas"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.isprintable() or text != text.strip() or _BLANKS.intersection(text):
            raise self.make_error("invisible")
        return text


class OneOf(fields.String):
    """One of the given words."""

    default_error_messages = {**_REQUIRED, "invalid": "deve ser um texto"}

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        one_of = validate.OneOf(choices, error=f"deve ser um de: {', '.join(choices)}")
        super().__init__(validate=one_of, **kwargs)


class BoundedInteger(fields.Integer):
    """An integer in bounds; in a query, decimal digits."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser um número inteiro",
        "too_large": "é grande demais",
    }

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        bounds = validate.Range(min=low, max=high, error=f"deve ser um inteiro de {low} a {high}")
        super().__init__(strict=True, validate=bounds, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18
        if not digits and (not isinstance(value, int) or isinstance(value, bool)):
            raise self.make_error("invalid", input=value)
        return int(value)


class ProductId(BoundedInteger):
    """A book's id, as a number or as a string of digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(low=0, high=MAX_ID, **kwargs)


class JsonInteger(BoundedInteger):
    """An integer in bounds that a JSON body writes as a number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Fraction(fields.Float):
    """A fraction of 1."""

    default_error_messages = {**_REQUIRED, "invalid": "deve ser um número"}

    def __init__(self, **kwargs: Any) -> None:
        bounds = validate.Range(min=0, max=1, error="deve ser um número de 0 a 1")
        super().__init__(validate=bounds, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        if isinstance(value, int) and not 0 <= value <= 1:
            return 2.0  # any number out of bounds: the integer may be too large for a float
        return float(value)


class JsonAmount(fields.Float):
    """Pounds that a JSON body writes as a number."""

    default_error_messages = {**_REQUIRED, "invalid": "deve ser um número"}

    def __init__(self, *, high: int, **kwargs: Any) -> None:
        bounds = validate.Range(min=0, max=high, error=f"deve ser um número de 0 a {high}")
        super().__init__(validate=bounds, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value  # unconverted: the integer may be too large for a float


class DateTime(fields.DateTime):
    """A time of ISO 8601, in UTC unless it names a zone; a date means its midnight."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser uma data ISO 8601, como 2026-11-22 ou 2026-11-22T10:00:00Z",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        # In a query, a plus sign is decoded as a space.
        text = str(value).replace(" ", "+") if len(str(value)) > len("2026-11-22") else str(value)
        try:
            time = datetime.fromisoformat(text)
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None


class DecimalAmount(fields.Decimal):
    """Pounds, finite and not negative."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser um número",
        "range": "deve ser um número não negativo",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        text = str(value)
        try:
            # Decimal also reads digits of other scripts and 1_000.
            number = Decimal(text if len(text) <= 40 and text.isascii() and "_" not in text else "NaN")
        except InvalidOperation:
            raise self.make_error("invalid") from None
        if not number.is_finite() or number < 0:
            raise self.make_error("range")
        return number
