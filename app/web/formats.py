"""The formats in which a list can be had: JSON, and CSV or NDJSON for programs that read tables."""

import functools
import re
from enum import StrEnum

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from app.web.fields import OneOf, RequestSchema


class Format(StrEnum):
    """A format by its value of `formato`; the first is the default."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"

    @property
    def media_type(self) -> str:
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.NDJSON: "application/x-ndjson",
}
TABULAR = (Format.CSV, Format.NDJSON)
TABULAR_TYPES = tuple(_MEDIA_TYPES[tabular] for tabular in TABULAR)
MAX_HEADER_CHARS = 1_000
"""A longer header of preferences is read as none: it would take time, and room among the remembered ones."""
_CHARSET = re.compile(r";\s*charset\s*=[^;,]*", re.IGNORECASE)
"""All formats are UTF-8, and a client that says so means the same type."""


class FormatQuery(RequestSchema):
    formato = OneOf(
        *Format,
        metadata={"description": "Vale mais que `Accept`; sem os dois, JSON"},
    )


def preferred_format(accept: str | None) -> Format:
    """Return the format that an Accept header prefers (RFC 9110, 12.5.1); JSON where it has no preference, or none."""
    return Format.JSON if accept is None or len(accept) > MAX_HEADER_CHARS else _preferred_format(accept)


@functools.lru_cache(maxsize=256)
def _preferred_format(accept: str) -> Format:
    offered = parse_accept_header(_CHARSET.sub("", accept), MIMEAccept)
    return max(Format, key=lambda output: offered.quality(output.media_type))
