"""The context of the lines that are logged while a request is served."""

from __future__ import annotations

from contextvars import ContextVar

NO_REQUEST = "-"
request_id: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)
"""The id of the request that this thread serves."""
