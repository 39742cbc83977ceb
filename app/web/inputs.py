"""What clients send, read strictly and told apart field by field."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Literal

from flask import current_app, g, request
from marshmallow import Schema, ValidationError, fields, validate

from app.core.errors import BodyTooLarge, FieldProblem, InvalidInput, ShopError, UnsupportedMediaType

MAX_ID = 2**31 - 1
"""The largest that an id's column holds."""
_SHOWN_NAME = 80
_PROBLEMS_SHOWN = 100
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


def read_query(schema: Schema) -> dict[str, Any]:
    """The query's parameters as `schema` says; others are ignored. Raises InvalidInput."""
    repeated = [name for name in schema.fields if len(request.args.getlist(name)) > 1]
    if repeated:
        raise InvalidInput([FieldProblem(name, "aparece mais de uma vez") for name in repeated])
    query: dict[str, Any] = _load(schema, request.args.to_dict(), unknown="exclude")
    return query


def read_body(schema: Schema) -> Any:
    """The JSON body as `schema` says. Raises InvalidInput, UnsupportedMediaType or BodyTooLarge."""
    return _load(schema, json_body(), unknown="raise")


def json_body() -> Any:
    """The JSON body, read and parsed once a request; whoever asks again gets the same value or error.

    Stricter than the json module: no NaN or Infinity, no number that overflows to one, no name twice in an
    object, no lone surrogate. Raises InvalidInput, UnsupportedMediaType or BodyTooLarge.
    """
    if "json_body" not in g:
        try:
            g.json_body, g.json_error = _parse_json(_read_bytes()), None
        except ShopError as error:
            g.json_body, g.json_error = None, error
    if g.json_error is not None:
        raise g.json_error
    return g.json_body


def refuse_large_body() -> None:
    """Raise BodyTooLarge where the client says beforehand that its body is over the limit."""
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(limit)


def _read_bytes() -> bytes:
    # A chunked body has no announced length, and Werkzeug then cuts it at the limit without a word.
    limit: int = current_app.config["MAX_CONTENT_LENGTH"]
    if request.content_length is not None:
        body = request.get_data()
    else:
        body = b""
        stream = request.environ["wsgi.input"]
        while len(body) <= limit and (chunk := stream.read(limit + 1 - len(body))):
            body += chunk
        if len(body) > limit:
            raise BodyTooLarge(limit)
    if body and not request.is_json:
        raise UnsupportedMediaType
    return body


def _parse_json(body: bytes) -> Any:
    if not body:
        raise InvalidInput.of("corpo", "é obrigatório e deve ser JSON")
    try:
        value = json.loads(
            body.decode("utf-8-sig"),  # Windows' shells begin with a byte order mark
            object_pairs_hook=_object_without_repetition,
        )
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate can't be stored or answered
        _refuse_infinite(value)
    except _RepeatedName as error:
        raise InvalidInput.of(error.name, "aparece mais de uma vez") from None
    except RecursionError:
        raise InvalidInput.of("corpo", "tem níveis demais") from None
    except ValueError:
        raise InvalidInput.of("corpo", "não é JSON válido em UTF-8") from None
    return value


class _RepeatedName(ValueError):
    def __init__(self, name: str) -> None:
        self.name = name.encode(errors="replace").decode()[:_SHOWN_NAME]


def _refuse_infinite(value: Any) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:  # only now is it worth looking where
        raise InvalidInput(list(islice(_infinite_numbers(value), _PROBLEMS_SHOWN))) from None


def _infinite_numbers(value: Any, path: str = "") -> Iterator[FieldProblem]:
    """What Python reads as a number and JSON has no word for: NaN, infinities, and numbers that overflow to one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _infinite_numbers(inner, _join(path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _infinite_numbers(inner, _join(path, place))
    elif isinstance(value, float) and not math.isfinite(value):
        yield FieldProblem(path or "corpo", "deve ser um número finito")


def _object_without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _RepeatedName(name)
        found[name] = value
    return found


def _load(schema: Schema, data: Any, unknown: Literal["exclude", "raise"]) -> Any:
    try:
        return schema.load(data, unknown=unknown)
    except ValidationError as error:
        raise InvalidInput(list(islice(_problems(error.messages), _PROBLEMS_SHOWN))) from error


def _problems(messages: Any, path: str = "") -> Iterator[FieldProblem]:
    """Marshmallow's nested messages as a flat list: {0: {"preco": ["x"]}} is `[0].preco: x`."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _problems(inner, _join(path, key))
    else:
        for message in messages:
            yield FieldProblem(path or "corpo", message)


def _join(path: str, key: Any) -> str:
    if key == "_schema":
        return path
    name = str(key)[:_SHOWN_NAME]
    longer = f"{path}[{name}]" if isinstance(key, int) else f"{path}.{name}" if path else name
    if len(longer) <= _SHOWN_NAME:
        return longer
    half = _SHOWN_NAME // 2
    return f"{longer[: half - 1]}…{longer[-half:]}"
