"""What every page has: a title, its own clock, and one way to say that something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards import formats
from dashboards.client.http_client import Problem
from dashboards.connections import settings

PAUSED_KEY = "em_pausa"
TILES_IN_A_ROW = 3
_told: ContextVar[set[str]] = ContextVar("told")


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure; `trend` draws a small line under it."""

    label: str
    value: str
    help: str | None = None
    trend: Sequence[float] | None = None


def show_page(title: str, body: Callable[[], None], *, at_least_every_s: float = 0) -> None:
    """Draw `body`, and draw it again and again until the reader pauses."""
    st.title(title)
    paused = bool(st.session_state.get(PAUSED_KEY, False))
    every_s = max(settings().refresh_s, at_least_every_s)

    def draw() -> None:
        _told.set(set())
        body()
        rhythm = "em pausa" if paused else f"a cada {formats.duration(every_s)}"
        st.caption(f"Lido às {datetime.now(zone()):%H:%M:%S}, {rhythm}.")

    st.fragment(draw, run_every=None if paused else every_s)()


@contextmanager
def telling() -> Iterator[None]:
    """Tell the reader what is wrong with a server, once, and let the rest of the page go on."""
    try:
        yield
    except Problem as problem:
        tell(problem)


def tell(problem: Problem) -> None:
    text = str(problem)
    told = _told.get()
    if text not in told:
        told.add(text)
        st.error(text, icon=":material/cloud_off:")


def tiles(figures: Sequence[Tile]) -> None:
    """Figures side by side, one below the other where the window is narrow."""
    for start in range(0, len(figures), TILES_IN_A_ROW):
        row = figures[start : start + TILES_IN_A_ROW]
        for column, figure in zip(st.columns(TILES_IN_A_ROW), row, strict=False):
            trend = [value for value in figure.trend or () if value == value]
            column.metric(
                figure.label,
                figure.value,
                help=figure.help,
                border=True,
                height="stretch",
                chart_data=trend if len(trend) > 1 else None,
            )


def zone() -> tzinfo:
    """The time zone of the reader's browser."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (OSError, ValueError):
        return UTC
