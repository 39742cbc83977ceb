from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboards import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.number(1234567), "1.234.567"),
        (formats.number(1234.5678, 2), "1.234,57"),
        (formats.number(-1234.5, 1), "-1.234,5"),
        (formats.number(0), "0"),
        (formats.number(None), "–"),
        (formats.number(math.nan), "–"),
        (formats.pounds(1234.56), "£ 1.234,56"),
        (formats.pounds(-0.5), "-£ 0,50"),
        (formats.pounds(None), "–"),
        (formats.percent(0.1234), "12,3 %"),
        (formats.percent(None), "–"),
        (formats.per_second(0.456), "0,46 req/s"),
        (formats.per_second(1234.56), "1.234,6 req/s"),
        (formats.per_second(math.nan), "–"),
        (formats.latency(0.0042), "4,2 ms"),
        (formats.latency(0.25), "250 ms"),
        (formats.latency(1.25), "1,25 s"),
        (formats.latency(math.inf), "–"),
        (formats.counted(1, "livro", "livros"), "1 livro"),
        (formats.counted(1_234, "livro", "livros"), "1.234 livros"),
        (formats.duration(8.4), "8,4 s"),
        (formats.duration(5), "5 s"),
        (formats.duration(45), "45 s"),
        (formats.duration(3_599), "59 min"),
        (formats.duration(7_300), "2 h"),
        (formats.duration(90_000), "1 d"),
    ],
)
def test_numbers_are_in_the_brazilian_form(text: str, expected: str) -> None:
    assert text.replace("\u00a0", " ") == expected


def test_dates_are_in_the_readers_time_zone() -> None:
    noon = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
    assert formats.date_time(noon, ZoneInfo("America/Sao_Paulo")) == "22/11/2026 09:00:05"
    assert formats.date_time(None) == "–"
    assert formats.ago(noon, noon + timedelta(minutes=3)) == "há 3\u00a0min"
    assert formats.ago(noon + timedelta(seconds=9), noon) == "há 0\u00a0s"  # clocks differ
