"""Marshmallow fields that read strictly, with messages in Portuguese."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import Schema, fields, validate

MAX_ID = 2**31 - 1
"""The largest that an id's column holds."""
# Letters and marks that show nothing: Hangul fillers, the grapheme joiner, Khmer vowels, the blank of Braille.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_REQUIRED = {"required": "campo obrigatório", "null": "não pode ser nulo"}


class Input(Schema):
    """What a client may send; anything else in a body is refused by name."""

    error_messages = {"unknown": "campo desconhecido", "type": "deve ser um objeto JSON"}


class Text(fields.String):
    """A string without control characters, of a bounded length."""

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


class Notes(Text):
    """A text of several lines."""

    allowed_controls = "\n\r\t"


class Name(Text):
    """A text that looks like what it is: printable, and not wrapped in spaces."""

    default_error_messages = {"invisible": "tem caracteres invisíveis ou espaços nas pontas"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.isprintable() or text != text.strip() or _BLANKS.intersection(text):
            raise self.make_error("invisible")
        return text


class Choice(fields.String):
    """One of a few words."""

    default_error_messages = {**_REQUIRED, "invalid": "deve ser um texto"}

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        one_of = validate.OneOf(choices, error=f"deve ser um de: {', '.join(choices)}")
        super().__init__(validate=one_of, **kwargs)


class WholeNumber(fields.Integer):
    """A whole number in bounds, written in decimal digits where it comes from a query."""

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


class ProductId(WholeNumber):
    """A book's id, as a number or as a string of digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(low=0, high=MAX_ID, **kwargs)


class Quantity(WholeNumber):
    """A whole number that a JSON body gives as a number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Share(fields.Float):
    """A fraction of 1."""

    default_error_messages = {**_REQUIRED, "invalid": "deve ser um número"}

    def __init__(self, **kwargs: Any) -> None:
        bounds = validate.Range(min=0, max=1, error="deve ser um número de 0 a 1")
        super().__init__(validate=bounds, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        if isinstance(value, int) and not 0 <= value <= 1:
            return 2.0  # out of bounds, and so may be an integer that no float can hold
        return float(value)


class Price(fields.Float):
    """An amount of pounds that a JSON body gives as a number."""

    default_error_messages = {**_REQUIRED, "invalid": "deve ser um número"}

    def __init__(self, *, high: int, **kwargs: Any) -> None:
        bounds = validate.Range(min=0, max=high, error=f"deve ser um número de 0 a {high}")
        super().__init__(validate=bounds, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value  # as it is: some integers are no float


class Moment(fields.DateTime):
    """A date and time, or a date, which begins at midnight (ISO 8601); UTC where it names no zone."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser uma data ISO 8601, como 2026-11-22 ou 2026-11-22T10:00:00Z",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        # A plus sign in a query means a space to whoever decodes it.
        text = str(value).replace(" ", "+") if len(str(value)) > len("2026-11-22") else str(value)
        try:
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None


class Amount(fields.Decimal):
    """A finite amount of pounds that is not negative."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser um número",
        "range": "deve ser um número não negativo",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        text = str(value)
        try:
            # Decimal also reads digits of other scripts and 1_000, which are nobody's way to write a price.
            number = Decimal(text if len(text) <= 40 and text.isascii() and "_" not in text else "NaN")
        except InvalidOperation:
            raise self.make_error("invalid") from None
        if not number.is_finite() or number < 0:
            raise self.make_error("range")
        return number
