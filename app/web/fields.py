"""Marshmallow fields that read strictly, with messages in Portuguese."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate
from marshmallow.exceptions import SCHEMA
from werkzeug.routing import IntegerConverter

from app.core.spelling import nearest_name
from app.storage.columns import MAX_ID as MAX_ID

_MAX_SUGGESTIONS = 5
_MAX_LISTED = 20
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.IGNORECASE)
_TIME = re.compile(  # the forms of ISO 8601 that all versions of Python read alike
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
_INVISIBLE = (
    # Controls, spaces but U+0020, directions, joiners, Hangul fillers, Khmer vowels, the Braille blank, private use,
    # tags. By ranges, which a client's regular expressions have too and which no release of Unicode changes.
    r"\x00-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180e"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ue000-\uf8ff\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e01ef"
)
_REQUIRED = {"required": "campo obrigatório", "null": "não pode ser nulo"}


class PlainInteger(IntegerConverter):
    """An integer in a path: ASCII digits, since Werkzeug also reads those of other scripts."""

    regex = "[0-9]+"


class RequestSchema(Schema):
    """The base of what clients send; an unknown name is refused, and the nearest known one named."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "não é conhecido", "type": "deve ser um objeto JSON"}

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        reports = error.messages_dict.values() if many else [error.messages_dict]
        names = ((report, name) for report in reports if isinstance(report, dict) for name in report)
        unknown = [(report, name) for report, name in names if name not in (*self.fields, SCHEMA)]
        for report, name in unknown[:_MAX_SUGGESTIONS]:  # each takes a fraction of a millisecond
            report[name] = [f"{self.error_messages['unknown']}{self._hint(str(name))}"]

    def _hint(self, unknown: str) -> str:
        if not self.fields:
            return "; esta rota não tem parâmetros"
        if nearest := nearest_name(unknown, self.fields):
            return f"; você quis dizer `{nearest}`?"
        some = [f"`{name}`" for name in self.fields][:_MAX_LISTED]
        more = " e outros" if len(self.fields) > _MAX_LISTED else ""
        return f"; os conhecidos são {', '.join(some)}{more}"


class Text(fields.String):
    """A string of bounded length that matches `pattern`, by default: without control characters.

    The document shows a field's `documented` beside what its class and validators say.
    """

    pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"
    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser um texto",
        "pattern": "tem caracteres de controle",
    }

    def __init__(self, *, low: int = 0, high: int, **kwargs: Any) -> None:
        length = validate.Length(min=low, max=high, error=f"deve ter de {low} a {high} caracteres")
        super().__init__(validate=length, **kwargs)
        self.documented = {"pattern": self.pattern}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        # Without the ends, since in Python `$` also stands before a last line end.
        if text and not re.fullmatch(self.pattern[1:-1], text):
            raise self.make_error("pattern")
        return text


class MultilineText(Text):
    """A text that may hold line ends and tabs."""

    pattern = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"


class PrintableText(Text):
    """A visible text without spaces at its ends."""

    pattern = f"^[^ {_INVISIBLE}]([^{_INVISIBLE}]*[^ {_INVISIBLE}])?$"
    default_error_messages = {"pattern": "tem caracteres invisíveis ou espaços nas pontas"}


class HttpStatus(Text):
    """A status, or a class of them."""

    pattern = "^[1-5]([0-9][0-9]|xx)$"
    default_error_messages = {"pattern": "deve ser um status, como 404, ou uma classe, como 4xx"}


class Cursor(Text):
    """Where a list goes on: what the `Link` of the page before it says."""

    pattern = "^[A-Za-z0-9_.-]+$"
    default_error_messages = {"pattern": "não é um cursor desta rota"}


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


class ProductId(fields.Field[int]):
    """A book's id, as a number or as a string of digits."""

    default_error_messages = {**_REQUIRED, "invalid": f"deve ser um inteiro de 0 a {MAX_ID}"}
    documented = {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": MAX_ID},
            {"type": "string", "pattern": "^[0-9]{1,9}$"},
        ]
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_ID:
            raise self.make_error("invalid")
        return value


class JsonInteger(BoundedInteger):
    """An integer in bounds that a JSON body writes as a number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class JsonBoolean(fields.Boolean):
    """A JSON body's true or false, and no word for them."""

    default_error_messages = {**_REQUIRED, "invalid": "deve ser true ou false"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


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


class DateTime(fields.Field[datetime]):
    """A time of ISO 8601, in UTC unless it names a zone; a date means its midnight.

    A time outside 1970 to 9998 becomes the nearest one inside, so that it can be moved by a zone or a minute.
    """

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser uma data ISO 8601, como 2026-11-22 ou 2026-11-22T10:00:00Z",
    }
    documented = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        text = str(value).upper()
        if len(text) > len("2026-11-22"):
            text = text.replace(" ", "+")  # in a query, a plus sign is decoded as a space
        if not _TIME.fullmatch(text):
            raise self.make_error("invalid")
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise self.make_error("invalid") from None
        aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time
        return min(max(aware, _EARLIEST), _LATEST).astimezone(UTC)


class DecimalAmount(fields.Decimal):
    """Pounds, finite and not negative."""

    default_error_messages = {
        **_REQUIRED,
        "invalid": "deve ser um número",
        "range": "deve ser um número não negativo",
    }
    documented = {"minimum": 0}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        text = str(value)
        # As JSON writes it: Decimal also reads spaces, digits of other scripts and 1_000.
        if len(text) > 40 or not _NUMBER.fullmatch(text):
            raise self.make_error("invalid")
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise self.make_error("invalid") from None
        if not number.is_finite() or number < 0:
            raise self.make_error("range")
        return number
