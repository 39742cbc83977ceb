"""Tables that write numbers and dates in the Brazilian form, and still sort them as such."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.components.charts import note_empty
from dashboards.components.page_layout import reader_timezone

ROW_HEIGHT = 35


def show_table(
    frame: pd.DataFrame,
    *,
    decimals: Mapping[str, int],
    max_rows: int = 12,
    wide: Collection[str] = (),
    key: str | None = None,
    on_select: Callable[[], None] | None = None,
) -> None:
    """Draw a table that scrolls after `max_rows`; `decimals` names the columns to write as numbers."""
    if note_empty(frame):
        return
    dates: dict[Any, Any] = dict.fromkeys(frame.select_dtypes("datetimetz").columns, _format_date)
    numbers = {name: _number_formatter(places) for name, places in decimals.items()}
    options: dict[str, Any] = {}
    if on_select is not None:
        options = {"on_select": on_select, "selection_mode": "single-row"}
    st.dataframe(
        frame.reset_index(drop=True).style.format(dates | numbers),
        hide_index=True,
        width="stretch",
        height=ROW_HEIGHT * (min(len(frame), max_rows) + 1) + 2,
        key=key,
        placeholder=formats.MISSING,
        column_config={name: st.column_config.Column(width="large") for name in wide},
        **options,
    )


def _number_formatter(places: int) -> Callable[[Any], str]:
    return lambda value: formats.number(value, places)


def _format_date(value: Any) -> str:
    return formats.MISSING if pd.isna(value) else formats.date_time(value.to_pydatetime(), reader_timezone())
