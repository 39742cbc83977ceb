"""Responses: their JSON, their ETags and their compression."""

import functools
import gzip
import zlib
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request
from flask.json.provider import JSONProvider
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

from app.web.formats import MAX_HEADER_CHARS, TABULAR_TYPES
from app.web.versions import Source

_COMPRESSED_TYPES = frozenset(
    {"application/json", "application/problem+json", "text/html", "text/css", "text/plain", *TABULAR_TYPES}
)
_MIN_COMPRESSED_BYTES = 1_000
_GZIP_LEVEL = 4


class OrjsonProvider(JSONProvider):
    """JSON as the seeds' clients know it: UTF-8, without escapes."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)


def not_modified(source: Source) -> Response | None:
    """Return a 304 where the client has the response that `source` makes, else None."""
    if not names_tag(request.headers.get("If-None-Match"), source.etag):
        return None
    response = Response(status=HTTPStatus.NOT_MODIFIED)
    response.headers.pop("Content-Type", None)
    response.vary.add("Accept-Encoding")  # as the full response has
    return tag_source(response, source)


def names_tag(if_none_match: str | None, tag: str) -> bool:
    """Return whether an If-None-Match header names `tag`, weakly (RFC 9110, 13.1.2)."""
    # Not Werkzeug's make_conditional: that also answers If-Match, with a 412 that no reader asks for.
    return if_none_match is not None and (
        if_none_match == f'W/"{tag}"' or parse_etags(if_none_match).contains_weak(tag)
    )


def tag_source(response: Response, source: Source) -> Response:
    """Tag a response with what it was made of, weakly, since it travels both plain and compressed."""
    response.set_etag(source.etag, weak=True)
    response.headers["Cache-Control"] = "no-cache"
    return response


def tag_version(response: Response, version: int) -> Response:
    """Tag a response with the version of the thing it shows, strongly, so that it serves in `If-Match`."""
    response.set_etag(str(version))
    response.headers["Cache-Control"] = "no-store"
    return response


def expected_versions() -> frozenset[str] | None:
    """Return the versions in `If-Match`, None where any will do."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    return frozenset(request.if_match.as_set())


def compress(response: Response) -> Response:
    """Gzip a body of at least _MIN_COMPRESSED_BYTES, where the client accepts that (RFC 9110, 12.5.3)."""
    if response.is_streamed or response.direct_passthrough or response.mimetype not in _COMPRESSED_TYPES:
        return response
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        return response  # a strong tag stands for these very bytes
    response.vary.add("Accept-Encoding")
    if not accepts_gzip(request.headers.get("Accept-Encoding")):
        return response
    body = response.get_data()
    if len(body) >= _MIN_COMPRESSED_BYTES:
        response.set_data(gzip.compress(body, _GZIP_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def gzip_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a body in gzip: of the same parts, the same bytes."""
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Return whether an Accept-Encoding header allows gzip (RFC 9110, 12.5.3)."""
    return (
        accept_encoding is not None
        and len(accept_encoding) <= MAX_HEADER_CHARS
        and _accepts_gzip(accept_encoding)
    )


@functools.lru_cache(maxsize=256)
def _accepts_gzip(accept_encoding: str) -> bool:
    return parse_accept_header(accept_encoding, Accept)["gzip"] > 0
