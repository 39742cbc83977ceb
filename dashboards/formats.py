"""Numbers, dates and durations in the Brazilian form."""

import math
from datetime import UTC, datetime, tzinfo

MISSING = "–"
_SWAP = str.maketrans(",.", ".,")
_UNITS_S = ((86_400, "d"), (3_600, "h"), (60, "min"))


def number(value: float | None, decimals: int = 0) -> str:
    """1.234,56"""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.{decimals}f}".translate(_SWAP)


def counted(count: float, one: str, many: str) -> str:
    """1 livro, 1.234 livros"""
    return f"{number(count)} {one if count == 1 else many}"


def pounds(value: float | None) -> str:
    """£ 1.234,56"""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{'-' if value < 0 else ''}£\u00a0{number(abs(value), 2)}"


def percent(share: float | None) -> str:
    """12,3 %, for a share of 0.123."""
    return MISSING if share is None or not math.isfinite(share) else f"{number(100 * share, 1)}\u00a0%"


def per_second(value: float | None) -> str:
    """0,46 req/s"""
    text = number(value, 2 if value is not None and value < 10 else 1)
    return text if text == MISSING else f"{text}\u00a0req/s"


def latency(seconds: float | None) -> str:
    """12 ms, or 1,25 s from a second on."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds >= 1:
        return f"{number(seconds, 2)}\u00a0s"
    return f"{number(1_000 * seconds, 1 if seconds < 0.01 else 0)}\u00a0ms"


def duration(seconds: float | None) -> str:
    """45 s, 3 min, 2 h or 5 d: the largest unit that fits."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    for size, unit in _UNITS_S:
        if seconds >= size:
            return f"{number(math.floor(seconds / size))}\u00a0{unit}"
    return f"{number(seconds, 1 if seconds < 10 and seconds % 1 else 0)}\u00a0s"


def date_time(value: datetime | None, zone: tzinfo = UTC) -> str:
    """22/11/2026 14:03:07"""
    return MISSING if value is None else value.astimezone(zone).strftime("%d/%m/%Y %H:%M:%S")


def ago(value: datetime | None, now: datetime) -> str:
    """há 3 min"""
    return MISSING if value is None else f"há {duration(max((now - value).total_seconds(), 0))}"
