"""The application and the request that are being served."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, g

from app.core.catalogue import Catalogue
from app.observability.metrics import RequestKind
from app.web.versions import Source

if TYPE_CHECKING:
    from app.shop import Shop


@dataclass(slots=True)
class RequestRecord:
    """What the metrics and the log show of a request; `route` is None for an unknown URL.

    `source` is what a response that the catalogue determines was made of, None where the cache can't tell it apart;
    a `streamed` one is longer than memory should hold.
    """

    method: str
    remote_addr: str | None = None
    route: str | None = None
    path: str = ""
    user_id: int | None = None
    kind: RequestKind | None = None
    status: int = 500
    error_type: str | None = None
    source: Source | None = None
    streamed: bool = False


request_record: ContextVar[RequestRecord] = ContextVar("request_record")
"""The record of the request that this thread serves; the middleware sets it."""


def shop() -> Shop:
    """Return the parts of the current application."""
    parts: Shop = current_app.extensions["shop"]
    return parts


def catalogue() -> Catalogue:
    """Return the catalogue of this request: one snapshot from its first line to its ETag."""
    if "catalogue" not in g:
        g.catalogue = shop().catalogue.current()
    snapshot: Catalogue = g.catalogue
    return snapshot
