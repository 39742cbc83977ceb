"""Responses: their JSON, their ETags and their compression."""

import gzip
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request
from flask.json.provider import JSONProvider

from app.version import API_VERSION
from app.web.context import catalogue

_COMPRESSED_TYPES = ("application/json", "application/problem+json", "text/html", "text/css", "text/plain")
_MIN_COMPRESSED_BYTES = 1_000
_GZIP_LEVEL = 4


class OrjsonProvider(JSONProvider):
    """JSON as the seeds' clients know it: UTF-8, without escapes."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)


def not_modified() -> Response | None:
    """Return a 304 where the client has the catalogue's present version, else None."""
    # Not Werkzeug's make_conditional: that also answers If-Match, with a 412 that no reader asks for.
    if not request.if_none_match or not request.if_none_match.contains_weak(_catalogue_etag()):
        return None
    response = Response(status=HTTPStatus.NOT_MODIFIED)
    response.headers.pop("Content-Type", None)
    response.vary.add("Accept-Encoding")  # as the full response has
    return tag_catalogue(response)


def tag_catalogue(response: Response) -> Response:
    """Tag a response with the catalogue's version, weakly, since it travels both plain and compressed."""
    response.set_etag(_catalogue_etag(), weak=True)
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
    if response.direct_passthrough or response.mimetype not in _COMPRESSED_TYPES:
        return response
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        return response  # a strong tag stands for these very bytes
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0:
        return response
    body = response.get_data()
    if len(body) >= _MIN_COMPRESSED_BYTES:
        response.set_data(gzip.compress(body, _GZIP_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _catalogue_etag() -> str:
    """Return the tag of every response that depends on the catalogue alone.

    It holds the time of publication beside the version, since another database counts its versions from 1 too,
    and the API's own version.
    """
    publication = catalogue().publication
    stamp = int(publication.published_at.timestamp() * 1_000_000)
    return f"{publication.version}.{publication.stock_version}-{stamp:x}-{API_VERSION}"
