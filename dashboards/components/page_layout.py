"""The frame of every page: title, periodic refresh, tiles, and error messages."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.http_client import HttpStatusError, RequestFailed
from dashboards.settings import settings

PAUSED_KEY = "em_pausa"
TILES_PER_ROW = 3
_reported: ContextVar[set[str]] = ContextVar("reported")
"""The messages that the current drawing of the page already has."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure; `trend`, a frame over time, is drawn as a small line below it."""

    label: str
    value: str
    help: str | None = None
    trend: pd.DataFrame | None = None


def show_page(title: str, body: Callable[[], None], *, min_interval_s: float = 0) -> None:
    """Draw `body` now and after each refresh interval until the reader pauses."""
    st.title(title)
    paused = bool(st.session_state.get(PAUSED_KEY, False))
    interval_s = max(settings().refresh_s, min_interval_s)

    def draw() -> None:
        _reported.set(set())
        body()
        rhythm = "em pausa" if paused else f"a cada {formats.duration(interval_s)}"
        st.caption(f"Lido às {datetime.now(reader_timezone()):%H:%M:%S}, {rhythm}.")

    st.fragment(draw, run_every=None if paused else interval_s)()


def show_tiles(tiles: Sequence[Tile]) -> None:
    """Draw the tiles side by side, or below each other in a narrow window."""
    for start in range(0, len(tiles), TILES_PER_ROW):
        row = tiles[start : start + TILES_PER_ROW]
        for column, tile in zip(st.columns(TILES_PER_ROW), row, strict=False):
            trend = [] if tile.trend is None else tile.trend["value"].dropna().tolist()
            column.metric(
                tile.label,
                tile.value,
                help=tile.help,
                border=True,
                height="stretch",
                chart_data=trend if len(trend) > 1 else None,
            )


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Report a failed request and continue after the block."""
    try:
        yield
    except RequestFailed as error:
        report(error)


def report(error: RequestFailed) -> None:
    """Show the error, once a drawing."""
    message = str(error)
    reported = _reported.get()
    if message not in reported:
        reported.add(message)
        st.error(message, icon=":material/cloud_off:")


def explain_forbidden(error: HttpStatusError, action: str) -> None:
    """Say what permission `action` needs; raise `error` again where it is not a 401 or 403."""
    if error.status not in (401, 403):
        raise error
    if error.status == 403:
        st.info(f"O usuário do token não tem permissão para {action}.", icon=":material/key:")
        return
    st.info(
        f"Para {action}, inicie o painel com um usuário de papel `operador` nas variáveis de ambiente `API_USER` e "
        "`API_PASSWORD`; ou, por 15 minutos, com o `access_token` de `POST /api/v1/auth/login` em `API_TOKEN`.",
        icon=":material/key:",
    )


def reader_timezone() -> tzinfo:
    """Return the time zone of the reader's browser."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (OSError, ValueError):
        return UTC
