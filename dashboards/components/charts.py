"""Charts in Brazilian numbers, in the colours of Streamlit's theme, light and dark.

`number_format` is a d3 format; `alt_text` describes the chart to a screen reader.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

HEIGHT = 300
BAR_HEIGHT = 28
BAR_AXIS_HEIGHT = 84
MAX_SERIES = 8
"""More colours can't be distinguished."""
SHORT_LABEL = 10
"""Letters."""

STATUS_COLOURS = {"2xx": "#2f9e6e", "3xx": "#5b8def", "4xx": "#d99000", "5xx": "#e5484d", "outros": "#8b8d98"}
"""Of a lightness that stands out from white and from black."""
_LOCALE = {
    "number": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["£\u00a0", ""]},
    "time": {
        "dateTime": "%d/%m/%Y %H:%M:%S", "date": "%d/%m/%Y", "time": "%H:%M:%S", "periods": ["AM", "PM"],
        "days": ["domingo", "segunda", "terça", "quarta", "quinta", "sexta", "sábado"],
        "shortDays": ["dom", "seg", "ter", "qua", "qui", "sex", "sáb"],
        "months": ["janeiro", "fevereiro", "março", "abril", "maio", "junho",
                   "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"],
        "shortMonths": ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"]
    }
}  # fmt: skip


def show_lines(
    frame: pd.DataFrame,
    title: str,
    *,
    series: str = "",
    colours: dict[str, str] | None = None,
    number_format: str = ",.2~f",
    alt_text: str,
) -> None:
    """Draw a line over time for each value of the column `series`, or stacked areas in the given `colours`.

    `frame` has the columns time and value.
    """
    frame = frame[frame["value"].notna()]
    if frame["time"].nunique() < 2:
        st.caption("Ainda não há leituras que bastem para um gráfico: a próxima vem em instantes.")
        return
    if series:
        frame = _largest_series(frame, series)
    tooltip = [
        alt.Tooltip("time:T", title="Quando", format="%d/%m %H:%M:%S"),
        alt.Tooltip("value:Q", title=title, format=number_format),
    ]
    x_axis = alt.Axis(format=_clock_format(frame), labelOverlap=True, tickCount=4)
    chart = alt.Chart(frame).encode(
        x=alt.X("time:T", title="Hora", axis=x_axis),
        y=alt.Y("value:Q", title=title, axis=number_axis(number_format), stack=True if colours else None),
        tooltip=[alt.Tooltip(field=series, type="nominal"), *tooltip] if series else tooltip,
    )
    if series:
        chart = chart.encode(color=_series_colour(frame[series], colours or {}))
    show_chart(chart.mark_area(opacity=0.75) if colours else chart.mark_line(strokeWidth=2), alt_text)


def show_bars(
    frame: pd.DataFrame,
    category: str,
    value: str,
    *,
    upright: bool = False,
    number_format: str = ",.0f",
    alt_text: str,
) -> None:
    """Draw a bar for each row, in the frame's order; the columns' names are the titles."""
    if note_empty(frame):
        return
    names: dict[str, Any] = {"field": category, "type": "nominal", "sort": frame[category].tolist()}
    values: dict[str, Any] = {
        "field": value,
        "type": "quantitative",
        "title": value,
        "axis": number_axis(number_format),
    }
    if upright:
        height = HEIGHT
        axes: dict[str, Any] = {
            "x": alt.X(**names, title=category, axis=alt.Axis(labelAngle=0)),
            "y": alt.Y(**values),
        }
    else:
        height = BAR_HEIGHT * len(frame) + BAR_AXIS_HEIGHT
        axis = alt.Axis(labelLimit=240, labelOverlap=False)
        axes = {"x": alt.X(**values), "y": alt.Y(**names, title=None, axis=axis)}
    tooltip = [
        alt.Tooltip(field=category, type="nominal"),
        alt.Tooltip(field=value, type="quantitative", format=number_format),
    ]
    chart = alt.Chart(frame).mark_bar(cornerRadiusEnd=3).encode(**axes, tooltip=tooltip)
    show_chart(chart, alt_text, height)


def show_histogram(
    frame: pd.DataFrame, field: str, title: str, count: str, *, number_format: str, alt_text: str
) -> None:
    """Draw the number of rows in each range of `field`; `title` and `count` name the axes."""
    if note_empty(frame):
        return
    values: dict[str, Any] = {
        "field": field,
        "bin": alt.Bin(maxbins=24),
        "title": title,
        "type": "quantitative",
    }
    counts: dict[str, Any] = {"aggregate": "count", "title": count, "type": "quantitative"}
    chart = alt.Chart(frame).mark_bar(binSpacing=1).encode(
        x=alt.X(**values, axis=number_axis(number_format)),
        y=alt.Y(**counts, axis=number_axis(",.0f")),
        tooltip=[alt.Tooltip(**values, format=number_format), alt.Tooltip(**counts, format=",.0f")]
    )  # fmt: skip
    show_chart(chart, alt_text)


def note_empty(frame: pd.DataFrame) -> bool:
    """Return True, after a caption in its place, if there is nothing to draw."""
    if frame.empty:
        st.caption("Ainda não há o que mostrar.")
    return bool(frame.empty)


def number_axis(number_format: str) -> alt.Axis:
    return alt.Axis(
        format=number_format, tickCount=5, tickMinStep=1 if number_format == ",.0f" else alt.Undefined
    )


def show_chart(chart: alt.Chart, alt_text: str, height: int = HEIGHT) -> None:
    st.altair_chart(chart.properties(height=height).configure(locale=_LOCALE), width="stretch", alt=alt_text)


def _largest_series(frame: pd.DataFrame, series: str) -> pd.DataFrame:
    largest = frame.groupby(series)["value"].sum().nlargest(MAX_SERIES)
    return frame[frame[series].isin(largest.index)]


def _clock_format(frame: pd.DataFrame) -> str:
    span_s = (frame["time"].max() - frame["time"].min()).total_seconds()
    if span_s < 1_800:
        return "%H:%M:%S"
    return "%H:%M" if span_s < 90_000 else "%d/%m %Hh"


def _series_colour(names: pd.Series[Any], colours: dict[str, str]) -> alt.Color:
    """Return the colour encoding by the column `names`, with the theme's colours where `colours` is empty."""
    present = {name: colour for name, colour in colours.items() if name in set(names)}
    scale = alt.Scale(domain=list(present), range=list(present.values())) if present else alt.Undefined
    longest = max(map(len, names.astype(str)))
    legend = alt.Legend(
        orient="top",
        columns=5 if longest < SHORT_LABEL else 3,
        labelLimit=240,
        title=None,
        offset=4,
        padding=0,
    )
    return alt.Color(field=str(names.name), type="nominal", scale=scale, legend=legend)
