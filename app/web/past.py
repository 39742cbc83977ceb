"""The parameter `em`: a request for the catalogue as a past publication left it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import g

from app.core.errors import BookNotFound
from app.core.history import AsOf
from app.web.context import shop
from app.web.fields import MAX_ID, DateTime, RequestSchema

_DATE = "2026-11-22"
_DAY, _MILLISECOND = timedelta(days=1), timedelta(milliseconds=1)
_OTHER_CLOCK = timedelta(seconds=5)
"""How far the clock of the process that told the client a time may be ahead of this one's."""
_SETTLED_AFTER = timedelta(minutes=10)
"""Longer than a publication takes from its time to its commit: what was the newest then, stays it."""


class PastCatalogue(DateTime):
    """A version, or a moment: a date means its end in UTC, and of today, now; a time, the end of its millisecond."""

    default_error_messages = {
        "invalid": f"deve ser uma versão, como 12, ou uma data ISO 8601, como {_DATE} ou {_DATE}T10:00:00Z",
        "future": "não pode estar no futuro",
    }
    documented: dict[str, Any] = {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": MAX_ID},
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
        ],
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> AsOf:  # type: ignore[override]
        if value.isascii() and value.isdigit():
            if len(value) > len(str(MAX_ID)) or int(value) > MAX_ID:
                raise self.make_error("invalid")
            return int(value)
        time, now = super()._deserialize(value, attr, data, **kwargs), datetime.now(UTC)
        is_date = len(value) == len(_DATE)
        if time > now + (timedelta(0) if is_date else _OTHER_CLOCK):
            raise self.make_error("future")
        # Responses show times in whole milliseconds: the moment of a publication that a client read there is its own.
        whole = time.replace(microsecond=time.microsecond // 1_000 * 1_000)
        return whole + (_DAY if is_date else _MILLISECOND)


class PastQuery(RequestSchema):
    em = PastCatalogue(
        metadata={
            "description": (
                "O catálogo como a publicação de então o deixou, sem as vendas depois dela: uma versão, como `12`, um "
                f"horário ISO 8601 (UTC se não disser o fuso) ou uma data, como `{_DATE}`, que vale pelo fim desse dia "
                "em UTC; sem ele, o catálogo de agora"
            ),
        }
    )


def look_back(as_of: AsOf, book_id: int | None) -> None:
    """Let `catalogue` return a past one in this request, or one book of it. Raises as `PastCatalogues` does."""
    past = shop().past
    if book_id is not None and book_id > MAX_ID:
        raise BookNotFound
    g.catalogue = past.at(as_of) if book_id is None else past.book_at(as_of, book_id)


def is_settled(as_of: AsOf) -> bool:
    """Return whether the same value will always mean the same publication."""
    return isinstance(as_of, int) or as_of < datetime.now(UTC) - _SETTLED_AFTER
