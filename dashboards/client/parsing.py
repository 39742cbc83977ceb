"""Typed values from decoded JSON; KeyError, TypeError or ValueError where the JSON has another form.

Call these inside `HttpClient.parsing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd


def parse_table(body: Any, columns: Mapping[str, type]) -> pd.DataFrame:
    """Return a frame with exactly `columns`, by type; every value but those of `int` may be missing."""
    rows = parse_rows(body)
    return pd.DataFrame(
        {name: _CONVERTERS[kind]([row.get(name) for row in rows]) for name, kind in columns.items()}
    )


def parse_rows(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise TypeError("not an array of objects")
    return body


def parse_number(value: Any) -> float | None:
    return None if value is None else float(value)


def parse_datetime(value: Any) -> datetime | None:
    if value is None:
        return None
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("a date without a time zone")
    return parsed


def _datetimes(values: list[Any]) -> pd.Series[Any]:
    return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True, format="ISO8601"))


_CONVERTERS: dict[type, Callable[[list[Any]], pd.Series[Any]]] = {
    int: lambda values: pd.Series([int(value) for value in values], dtype="int64"),
    float: lambda values: pd.Series([parse_number(value) for value in values], dtype="float64"),
    bool: lambda values: pd.Series([value is True for value in values], dtype=bool),
    str: lambda values: pd.Series(["" if value is None else str(value) for value in values], dtype=object),
    dict: lambda values: pd.Series([dict(value) if value else None for value in values], dtype=object),
    datetime: _datetimes,
}
