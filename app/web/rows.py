"""A list as a response: JSON, CSV or NDJSON, made part by part of the same JSON objects."""

import csv
import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any

import orjson
from flask import Response, request

from app.core.catalogue import Positions
from app.web.body_guard import ServerBusy
from app.web.context import request_record, shop
from app.web.formats import Format
from app.web.pagination import MAX_UNPAGED
from app.web.responses import accepts_gzip, gzip_parts

Parts = Iterable[Sequence[bytes]]
_ROWS_AT_ONCE = 500
_PLAIN = frozenset({str, int, float})
"""What the csv module writes as the JSON has it, but for the quotes."""
_PATIENCE_S, _MIN_BYTES_PER_S = 30.0, 100_000
"""A client has so long to read a stream, and more for its length."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a view returns for a list: `count` items, and how to make them as JSON objects in parts.

    The parts may be made twice, and after the request's end: they come from one snapshot.
    """

    count: int
    parts: Callable[[], Parts]
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Sequence[Any], headers: Mapping[str, str] | None = None) -> "Rows":
        """Return a page that is in memory anyway."""
        return cls(
            len(items), lambda: [[orjson.dumps(item) for item in items]] if items else [], headers or {}
        )

    def body(self, output: Format, columns: Sequence[str] = ()) -> Iterator[bytes]:
        return _WRITERS[output](self.parts(), columns)

    def response(self, output: Format, columns: Sequence[str], name: str) -> Response:
        """Return the list in `output`; a table has `columns` and is saved under `name`.

        More than MAX_UNPAGED items are sent as they are made. Raises ServerBusy.
        """
        if self.count <= MAX_UNPAGED:
            response = Response(b"".join(self.body(output, columns)), mimetype=output.media_type)
        else:
            response = self._stream(output, columns)
        response.headers.update(self.headers)
        if output is not Format.JSON:
            response.headers["Content-Disposition"] = f'attachment; filename="{name}.{output}"'
        return response

    def _stream(self, output: Format, columns: Sequence[str]) -> Response:
        packed = accepts_gzip(request.headers.get("Accept-Encoding"))

        def make() -> Iterator[bytes]:
            parts = self.body(output, columns)
            return gzip_parts(parts) if packed else parts

        stream = _Stream(make, shop().streams)
        response = Response(stream, mimetype=output.media_type)
        response.content_length = stream.length
        response.vary.add("Accept-Encoding")
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        request_record.get().streamed = True
        return response


class _Stream:
    """A long body, which holds a thread at the pace of its client: so the number of streams and their time are limited.

    It gives its place back, which `places` counts, when it is closed or dropped. Its length is known before, which
    takes making it twice, and neither memory nor disk: the server closes a connection, and so tells the client, only
    where a response ends before its length. Raises ServerBusy without a place.
    """

    def __init__(self, make: Callable[[], Iterator[bytes]], places: BoundedSemaphore) -> None:
        self._make = make
        self._held: list[BoundedSemaphore] = []
        if not places.acquire(blocking=False):
            raise ServerBusy
        self._held.append(places)
        self.length = sum(map(len, make()))

    def __iter__(self) -> Iterator[bytes]:
        ends_at = time.monotonic() + _PATIENCE_S + self.length / _MIN_BYTES_PER_S
        for part in self._make():
            if time.monotonic() > ends_at:
                break
            yield part

    def close(self) -> None:
        while self._held:
            self._held.pop().release()

    __del__ = close


def in_parts(positions: Positions) -> Iterator[list[int]]:
    """Yield the positions, some hundred at a time."""
    for first in range(0, len(positions), _ROWS_AT_ONCE):
        yield positions[first : first + _ROWS_AT_ONCE].tolist()


def _json(parts: Parts, _columns: Sequence[str]) -> Iterator[bytes]:
    before = b"["
    for part in parts:
        yield before + b",".join(part)
        before = b","
    yield b"]" if before == b"," else b"[]"


def _ndjson(parts: Parts, _columns: Sequence[str]) -> Iterator[bytes]:
    for part in parts:
        yield b"\n".join(part) + b"\n"


def _csv(parts: Parts, columns: Sequence[str]) -> Iterator[bytes]:
    """Yield CSV as RFC 4180 and `livros.csv` have it; a key that an item lacks is empty."""
    yield (",".join(columns) + "\r\n").encode()
    for part in parts:
        text = io.StringIO()
        values = (map(orjson.loads(item).get, columns) for item in part)
        csv.writer(text).writerows(
            [value if type(value) in _PLAIN else _cell(value) for value in row] for row in values
        )
        yield text.getvalue().encode()


def _cell(value: Any) -> str:
    """Return true, false, a list or an object as the JSON has it, and null as nothing."""
    return "" if value is None else orjson.dumps(value).decode()


_WRITERS = {Format.JSON: _json, Format.CSV: _csv, Format.NDJSON: _ndjson}
