"""Responses that the published catalogue determines, kept in front of Flask."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from wsgiref.types import WSGIEnvironment

from app.storage.catalogue_store import CatalogueStore
from app.web.formats import Format, preferred_format
from app.web.responses import accepts_gzip, names_tag
from app.web.versions import Source

_OVERHEAD_BYTES = 2_000
"""What a response takes beside its texts: the objects around them, rounded up."""
_MAX_KEY_CHARS = 500
"""Longer addresses are not worth their room: a query's texts are found again in its `Link`."""
_NO_BODY = (None, "", "0")


class Variant(Enum):
    """The representations of one resource between which the request's headers choose."""

    PLAIN = "plain"
    GZIP = "gzip"
    NOT_MODIFIED = "not modified"


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response as Flask made it, and what its metrics and its log line need; `observe` counts it."""

    status_line: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    status: int
    route: str
    path: str
    observe: Callable[[float], None]

    @property
    def size(self) -> int:
        headers = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.body) + headers + len(self.path) + _OVERHEAD_BYTES


@dataclass(slots=True)
class _Resource:
    """The variants of one URL, all made of the same source."""

    source: Source
    etag: str
    variants: dict[Variant, CachedResponse] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(response.size for response in self.variants.values())


@dataclass(slots=True)
class _Shelf:
    """Resources by path and query, from the oldest to the newest, and what they take."""

    resources: dict[tuple[str, str], _Resource] = field(default_factory=dict)
    bytes: int = 0

    def add(
        self, key: tuple[str, str], resource: _Resource, variant: Variant, response: CachedResponse
    ) -> None:
        if self.resources.get(key) is not resource:
            self.remove(key)
            self.resources[key] = resource
        if variant not in resource.variants:
            resource.variants[variant] = response
            self.bytes += response.size

    def remove(self, key: tuple[str, str]) -> None:
        resource = self.resources.pop(key, None)
        if resource is not None:
            self.bytes -= resource.size

    def remove_oldest(self) -> None:
        self.remove(next(iter(self.resources)))


class ResponseCache:
    """Responses by path and query, each as Flask made it for the first client that asked for that variant.

    It never decides what a response is: it remembers, as long as the source is current. What only `Accept` asks for is
    not kept. Readers need no lock, since the resources of a shelf and each resource's variants are only added to and
    removed from. `_lock` protects changes and the bytes, which stay under `max_bytes`: the oldest resources go first. A
    publication swaps `_present`. What is made of past catalogues is always current, and takes the room that the present
    one leaves, at most a quarter of all.
    """

    def __init__(self, catalogue: CatalogueStore, max_bytes: int) -> None:
        self._catalogue = catalogue
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._present = _Shelf()
        self._past = _Shelf()

    @property
    def bytes_kept(self) -> int:
        return self._present.bytes + self._past.bytes

    def find(self, environ: WSGIEnvironment) -> CachedResponse | None:
        """Return the response to a GET without a body; None where Flask must make it."""
        key = (environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
        resource = self._present.resources.get(key) or self._past.resources.get(key)
        if resource is None or environ.get("CONTENT_LENGTH") not in _NO_BODY:
            return None
        if (
            "HTTP_TRANSFER_ENCODING" in environ
            or preferred_format(environ.get("HTTP_ACCEPT")) is not Format.JSON
        ):
            return None
        try:
            snapshot = self._catalogue.current()
        except Exception:  # noqa: BLE001 - Flask meets it again, and responds
            return None
        if not resource.source.is_current(snapshot):
            return None
        return resource.variants.get(_variant(environ, resource.etag))

    def add(self, environ: WSGIEnvironment, source: Source, response: CachedResponse) -> None:
        """Keep the response to a GET, unless its source is outdated or it would take a quarter of the room."""
        snapshot = self._catalogue.current()
        key = (environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
        if len(key[0]) + len(key[1]) > _MAX_KEY_CHARS or not source.is_current(snapshot):
            return
        if response.size > self._max_bytes // 4:
            return
        with self._lock:
            if source.publication.is_past:
                shelf = self._past
            else:
                self._forget_other_publications(source)
                shelf = self._present
            resource = shelf.resources.get(key)
            if resource is None or not resource.source.is_current(snapshot):
                resource = _Resource(source, source.etag)
            shelf.add(key, resource, _variant(environ, resource.etag), response)
            while self._past.bytes > self._max_bytes // 4:
                self._past.remove_oldest()
            while self.bytes_kept > self._max_bytes:
                (self._past if self._past.resources else self._present).remove_oldest()

    def _forget_other_publications(self, source: Source) -> None:
        newest = next(reversed(self._present.resources.values()), None)
        if newest is not None and newest.source.publication.version != source.publication.version:
            self._present = _Shelf()


def _variant(environ: WSGIEnvironment, etag: str) -> Variant:
    condition = environ.get("HTTP_IF_NONE_MATCH")
    if condition is not None and names_tag(condition, etag):
        return Variant.NOT_MODIFIED
    return Variant.GZIP if accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING")) else Variant.PLAIN
