"""Tables in Brazilian numbers that still sort as numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.components.page_layout import zone

ROW_HEIGHT = 35


def show_table(
    frame: pd.DataFrame,
    *,
    decimals: Mapping[str, int],
    most_rows: int = 12,
    wide: Collection[str] = (),
    key: str | None = None,
    on_select: Callable[[], None] | None = None,
) -> None:
    """`decimals` names the columns to write as numbers; moments are written in the reader's zone."""
    if frame.empty:
        st.caption("Ainda não há o que mostrar.")
        return
    moments: dict[Any, Any] = dict.fromkeys(frame.select_dtypes("datetimetz").columns, _moment)
    numbers = {name: _writer(places) for name, places in decimals.items()}
    written = frame.reset_index(drop=True).style.format(moments | numbers)
    height = ROW_HEIGHT * (min(len(frame), most_rows) + 1) + 2
    options: dict[str, Any] = {
        "hide_index": True,
        "width": "stretch",
        "height": height,
        "key": key,
        "placeholder": formats.NOTHING,
    }
    options["column_config"] = {name: st.column_config.Column(width="large") for name in wide}
    if on_select is not None:
        options |= {"on_select": on_select, "selection_mode": "single-row"}
    st.dataframe(written, **options)


def _writer(places: int) -> Callable[[Any], str]:
    return lambda value: formats.number(value, places)


def _moment(value: Any) -> str:
    return formats.NOTHING if pd.isna(value) else formats.moment(value.to_pydatetime(), zone())
