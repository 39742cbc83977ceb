"""The query and the JSON body of a request, parsed more strictly than Python's own parser does."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import current_app, g, request
from flask.globals import request_ctx
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import MethodNotAllowed

from app.core.errors import MAX_PROBLEMS, FieldProblem, InvalidInput, ShopError
from app.web.body_guard import FAILURE

_MAX_PATH_CHARS = 80
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class BodyTooLarge(ShopError):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"O corpo da requisição passa do limite de {limit_bytes} bytes.")


class UrlTooLong(ShopError):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"O endereço com a sua consulta passa do limite de {limit_bytes} bytes.")


class BatchTooLarge(ShopError):
    def __init__(self, limit: int) -> None:
        super().__init__(f"O lote passa do limite de {limit} livros (ML_MAX_BATCH).")


class UnsupportedMediaType(ShopError):
    detail = "O corpo deve ser JSON, com Content-Type: application/json e sem Content-Encoding."


def read_query(schema: Schema) -> dict[str, Any]:
    """Return the query's parameters as `schema` says. Raises InvalidInput or ValidationError."""
    try:
        unquote_to_bytes(request.query_string).decode()
    except UnicodeDecodeError:  # Werkzeug replaces what it can't read
        raise InvalidInput.of("query", "não é UTF-8") from None
    repeated = [name for name in schema.fields if len(request.args.getlist(name)) > 1]
    if repeated:
        raise InvalidInput([FieldProblem(name, "aparece mais de uma vez") for name in repeated])
    query: dict[str, Any] = schema.load(request.args.to_dict())
    return query


def read_body(schema: Schema, max_items: int | None = None) -> Any:
    """Return the JSON body as `schema` says.

    An array of more than `max_items` is refused before it is validated, which would cost a report on each item.
    Raises InvalidInput, ValidationError, UnsupportedMediaType, BodyTooLarge or BatchTooLarge.
    """
    body = json_body()
    if max_items is not None and isinstance(body, list) and len(body) > max_items:
        raise BatchTooLarge(max_items)
    return schema.load(body)


def json_body() -> Any:
    """Return the JSON body, read and parsed once a request.

    Refuses NaN, Infinity, numbers that overflow to it, a name twice in an object and lone surrogates. Raises
    InvalidInput, UnsupportedMediaType or BodyTooLarge, again at each call.
    """
    if "json_body" not in g:
        try:
            g.json_body, g.json_error = _parse_json(_read_json_bytes()), None
        except ShopError as error:
            g.json_body, g.json_error = None, error
    if g.json_error is not None:
        raise g.json_error
    return g.json_body


def refuse_other_spellings() -> None:
    """Raise MethodNotAllowed for a method in lower case, which Werkzeug takes for the one in upper case."""
    if request.environ["REQUEST_METHOD"] != request.method and request_ctx.url_adapter is not None:
        raise MethodNotAllowed(valid_methods=sorted(request_ctx.url_adapter.allowed_methods()))


def refuse_unparsed() -> None:
    """Raise what the body's guard has found wrong, or that the URL or the announced body is over its limit."""
    failure: ShopError | None = request.environ.get(FAILURE)
    if failure is not None:
        raise failure
    longest = current_app.config["MAX_URL_BYTES"]
    if len(request.path) + len(request.query_string) > longest:
        raise UrlTooLong(longest)
    if (request.content_length or 0) > body_limit():
        raise BodyTooLarge(body_limit())


def body_limit() -> int:
    """Return how many bytes the body of this request may have."""
    limits: dict[str, int] = current_app.config["BODY_LIMITS"]
    usual: int = current_app.config["MAX_CONTENT_LENGTH"]
    return limits.get(request.path, usual)


def join_path(path: str, key: Any) -> str:
    """Return the path of `key` below `path`, such as `[2].preco_com_taxa`, with the middle of a long one left out.

    A name of the client's loses its control characters, which would act on a terminal.
    """
    if key == "_schema":
        return path
    name = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(key)[:_MAX_PATH_CHARS])
    longer = f"{path}[{name}]" if isinstance(key, int) else f"{path}.{name}" if path else name
    if len(longer) <= _MAX_PATH_CHARS:
        return longer
    half = _MAX_PATH_CHARS // 2
    return f"{longer[: half - 1]}…{longer[-half:]}"


def read_bytes() -> bytes:
    """Return the body. Raises BodyTooLarge."""
    # A chunked body has no announced length, and Werkzeug then cuts it at the limit without an error.
    limit = body_limit()
    if request.content_length is not None:
        request.max_content_length = limit
        return request.get_data()
    body = b""
    stream = request.environ["wsgi.input"]
    while len(body) <= limit and (chunk := stream.read(limit + 1 - len(body))):
        body += chunk
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


def _read_json_bytes() -> bytes:
    body = read_bytes()
    if body and (not request.is_json or "Content-Encoding" in request.headers):
        raise UnsupportedMediaType
    return body


def _parse_json(body: bytes) -> Any:
    if not body:
        raise InvalidInput.of("corpo", "é obrigatório e deve ser JSON")
    non_finite: list[float] = []

    def parse_float(text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            non_finite.append(number)
        return number

    try:
        text = body.decode("utf-8-sig")  # Windows' shells begin with a byte order mark
        value = json.loads(
            text, object_pairs_hook=_unique_names, parse_float=parse_float, parse_constant=parse_float
        )
        if "\\u" in text:  # an escape may be a lone surrogate, which UTF-8 can't write
            json.dumps(value, ensure_ascii=False).encode()
        if non_finite:
            raise InvalidInput(list(islice(_non_finite_numbers(value), MAX_PROBLEMS)))
    except _RepeatedName as error:
        raise InvalidInput.of(error.name, "aparece mais de uma vez") from None
    except RecursionError:
        raise InvalidInput.of("corpo", "tem níveis demais") from None
    except ValueError:
        raise InvalidInput.of("corpo", "não é JSON válido em UTF-8") from None
    return value


class _RepeatedName(ValueError):
    def __init__(self, name: str) -> None:
        self.name = name.encode(errors="replace").decode()[:_MAX_PATH_CHARS]


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise _RepeatedName(name)
        members[name] = value
    return members


def _non_finite_numbers(value: Any, path: str = "") -> Iterator[FieldProblem]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _non_finite_numbers(member, join_path(path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _non_finite_numbers(item, join_path(path, place))
    elif isinstance(value, float) and not math.isfinite(value):
        yield FieldProblem(path or "corpo", "deve ser um número finito")


def invalid_input(error: ValidationError) -> InvalidInput:
    """Return marshmallow's error as the shop's own, with at most MAX_PROBLEMS problems."""
    return InvalidInput(list(islice(_problems(error.messages), MAX_PROBLEMS)))


def _problems(messages: Any, path: str = "") -> Iterator[FieldProblem]:
    """Flatten marshmallow's nested messages: {0: {"preco": ["x"]}} is `[0].preco: x`."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _problems(inner, join_path(path, key))
    else:
        for message in messages:
            yield FieldProblem(path or "corpo", message)
