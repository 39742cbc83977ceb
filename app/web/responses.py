"""Answers that the catalogue's version determines, and the size they travel in."""

from __future__ import annotations

import gzip
from http import HTTPStatus

from flask import Response, request

from app.version import API_VERSION
from app.web.context import catalogue

_COMPRESSED_TYPES = ("application/json", "application/problem+json", "text/html", "text/css", "text/plain")
_WORTH_COMPRESSING_BYTES = 1_000
_GZIP_LEVEL = 4


def answer_if_changed(response: Response) -> Response:
    """Tag a successful answer with the catalogue's version; 304 where the client has it already.

    The tag is weak, since the same answer travels both plain and compressed. It holds the time of publication
    beside the version, since another database counts its versions from 1 too, and the API's own version.
    """
    if response.status_code != 200:
        return response
    publication = catalogue().publication
    stamp = int(publication.published_at.timestamp() * 1_000_000)
    response.set_etag(f"{publication.version}.{publication.stock_version}-{stamp:x}-{API_VERSION}", weak=True)
    response.headers["Cache-Control"] = "no-cache"
    # Not Werkzeug's make_conditional: that also answers If-Match, with a 412 that no reader asks for.
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        response.status_code = HTTPStatus.NOT_MODIFIED
        response.set_data(b"")
        response.headers.pop("Content-Type", None)
    return response


def compress(response: Response) -> Response:
    """Gzip a body that is worth it, where the client accepts that (RFC 9110, 12.5.3)."""
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        response.vary.add("Accept-Encoding")  # as the answer had that it stands for
        return response
    if response.direct_passthrough or response.mimetype not in _COMPRESSED_TYPES:
        return response
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        return response  # a strong tag stands for these very bytes
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0:
        return response
    body = response.get_data()
    if len(body) >= _WORTH_COMPRESSING_BYTES:
        response.set_data(gzip.compress(body, _GZIP_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def tag_version(response: Response, version: int) -> Response:
    """Tag an answer with the version of what it shows, strongly, so that it serves in `If-Match`."""
    response.set_etag(str(version))
    response.headers["Cache-Control"] = "no-store"
    return response


def expected_versions() -> frozenset[str] | None:
    """The versions that the client would change, from `If-Match`; None where any will do."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    return frozenset(request.if_match.as_set())
