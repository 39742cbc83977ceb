"""JSON bodies, read once and more strictly than Python's own parser does."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

from flask import current_app, g, request

from app.core.errors import BodyTooLarge, FieldProblem, InvalidInput, ShopError, UnsupportedMediaType

PROBLEMS_SHOWN = 100
"""Of the things that are wrong with one body."""
_SHOWN_NAME = 80


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
        _refuse_unwritable(value)
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


def _refuse_unwritable(value: Any) -> None:
    """Raises ValueError for a lone surrogate, else InvalidInput for numbers that JSON has no word for."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:  # only now is it worth looking why
        # First the surrogate: it could be in a name, and then the place of a number can't be answered.
        json.dumps(value, ensure_ascii=False).encode()
        raise InvalidInput(list(islice(_infinite_numbers(value), PROBLEMS_SHOWN))) from None


def _infinite_numbers(value: Any, path: str = "") -> Iterator[FieldProblem]:
    """What Python reads as a number and JSON has no word for: NaN, infinities, and numbers that overflow to one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _infinite_numbers(inner, join_path(path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _infinite_numbers(inner, join_path(path, place))
    elif isinstance(value, float) and not math.isfinite(value):
        yield FieldProblem(path or "corpo", "deve ser um número finito")


def _object_without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _RepeatedName(name)
        found[name] = value
    return found


def join_path(path: str, key: Any) -> str:
    """The place of `key` below `path`, such as `[2].preco_com_taxa`; the middle of a long one is left out."""
    if key == "_schema":
        return path
    name = str(key)[:_SHOWN_NAME]
    longer = f"{path}[{name}]" if isinstance(key, int) else f"{path}.{name}" if path else name
    if len(longer) <= _SHOWN_NAME:
        return longer
    half = _SHOWN_NAME // 2
    return f"{longer[: half - 1]}…{longer[-half:]}"
