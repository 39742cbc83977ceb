"""Answers made sure of: a page never meets a missing key or a text where a number should be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from dashboards.client.http_client import Server


class Checked:
    """Turns whatever a malformed answer makes Python say into the one thing to tell."""

    def __init__(self, server: Server, path: str) -> None:
        self._server, self._path = server, path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError)):
            raise self._server.malformed(self._path) from error


def table(answer: Any, columns: Mapping[str, type]) -> pd.DataFrame:
    """A frame of just `columns`; all but whole numbers and moments may be missing."""
    found = rows(answer)
    return pd.DataFrame(
        {name: _column([row.get(name) for row in found], kind) for name, kind in columns.items()}
    )


def rows(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise TypeError("not an array of objects")
    return answer


def number(value: Any) -> float | None:
    return None if value is None else float(value)


def moment(value: Any) -> datetime | None:
    if value is None:
        return None
    read = datetime.fromisoformat(value)
    if read.tzinfo is None:
        raise ValueError("a moment without a zone")
    return read


def _column(values: list[Any], kind: type) -> pd.Series[Any]:
    if kind is int:
        return pd.Series([int(value) for value in values], dtype="int64")
    if kind is float:
        return pd.Series([number(value) for value in values], dtype="float64")
    if kind is bool:
        return pd.Series([value is True for value in values], dtype=bool)
    if kind is datetime:
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True, format="ISO8601"))
    if kind is dict:
        return pd.Series([dict(value) if value else None for value in values], dtype=object)
    return pd.Series(["" if value is None else str(value) for value in values], dtype=object)
