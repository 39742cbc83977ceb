"""Charts in Brazilian numbers, in the colours of Streamlit's theme, light and dark."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

HEIGHT = 300
BAR_HEIGHT = 28
BAR_AXIS_HEIGHT = 84
MOST_SERIES = 8
SHORT = 10  # letters

# Of a lightness that stands out from white and from black.
STATUS_COLOURS = {"2xx": "#2f9e6e", "3xx": "#5b8def", "4xx": "#d99000", "5xx": "#e5484d", "outros": "#8b8d98"}
_LOCALE = {
    "number": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["£", ""]},
    "time": {
        "dateTime": "%d/%m/%Y %H:%M:%S",
        "date": "%d/%m/%Y",
        "time": "%H:%M:%S",
        "periods": ["AM", "PM"],
        "days": ["domingo", "segunda", "terça", "quarta", "quinta", "sexta", "sábado"],
        "shortDays": ["dom", "seg", "ter", "qua", "qui", "sex", "sáb"],
        "months": [
            "janeiro", "fevereiro", "março", "abril", "maio", "junho",
            "julho", "agosto", "setembro", "outubro", "novembro", "dezembro",
        ],
        "shortMonths": [
            "jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez",
        ],
    },
}  # fmt: skip


def lines(
    frame: pd.DataFrame, title: str, *, series: str = "", number: str = ",.2~f", alternative: str
) -> None:
    """Developments: `frame` has time, value and, if there are several, the column named by `series`."""
    _over_time(frame, title, series, number, alternative, stacked=False)


def areas(
    frame: pd.DataFrame,
    title: str,
    *,
    series: str,
    number: str = ",.2~f",
    colours: dict[str, str] | None = None,
    alternative: str,
) -> None:
    """Developments that add up to a whole."""
    _over_time(frame, title, series, number, alternative, stacked=True, colours=colours)


def bars(
    frame: pd.DataFrame,
    name: str,
    value: str,
    *,
    number: str = ",.0f",
    alternative: str,
) -> None:
    """One horizontal bar for each row, in the frame's order; the columns' names are the titles."""
    if frame.empty:
        st.caption("Ainda não há o que mostrar.")
        return
    base = alt.Chart(frame).encode(
        y=alt.Y(
            field=name,
            type="nominal",
            sort=frame[name].tolist(),
            title=None,
            axis=alt.Axis(labelLimit=240, labelOverlap=False),
        ),
        x=alt.X(field=value, type="quantitative", title=value, axis=number_axis(number)),
        tooltip=[
            alt.Tooltip(field=name, type="nominal"),
            alt.Tooltip(field=value, type="quantitative", format=number),
        ],
    )
    show(base.mark_bar(cornerRadiusEnd=3), alternative, BAR_HEIGHT * len(frame) + BAR_AXIS_HEIGHT)


def columns(frame: pd.DataFrame, name: str, value: str, *, number: str = ",.0f", alternative: str) -> None:
    """One upright bar for each row, in the frame's order."""
    if frame.empty:
        st.caption("Ainda não há o que mostrar.")
        return
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X(
                field=name, type="nominal", sort=frame[name].tolist(), title=name, axis=alt.Axis(labelAngle=0)
            ),
            y=alt.Y(field=value, type="quantitative", title=value, axis=number_axis(number)),
            tooltip=[
                alt.Tooltip(field=name, type="nominal"),
                alt.Tooltip(field=value, type="quantitative", format=number),
            ],
        )
    )
    show(chart, alternative)


def histogram(
    frame: pd.DataFrame, field: str, title: str, count: str, *, number: str, alternative: str
) -> None:
    """How many rows have which value."""
    if frame.empty:
        st.caption("Ainda não há o que mostrar.")
        return
    chart = (
        alt.Chart(frame)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(field=field, type="quantitative", bin=alt.Bin(maxbins=24), title=title, axis=number_axis(number)),
            y=alt.Y(aggregate="count", type="quantitative", title=count, axis=number_axis(",.0f")),
            tooltip=[
                alt.Tooltip(field=field, type="quantitative", bin=alt.Bin(maxbins=24), title=title, format=number),
                alt.Tooltip(aggregate="count", type="quantitative", title=count, format=",.0f"),
            ],
        )
    )  # fmt: skip
    show(chart, alternative)


def _over_time(
    frame: pd.DataFrame,
    title: str,
    series: str,
    number: str,
    alternative: str,
    *,
    stacked: bool,
    colours: dict[str, str] | None = None,
) -> None:
    frame = frame[frame["value"].notna()]
    if frame["time"].nunique() < 2:
        st.caption("Ainda não há leituras que bastem para um gráfico: a próxima vem em instantes.")
        return
    if series:
        frame = _largest(frame, series)
    span_s = (frame["time"].max() - frame["time"].min()).total_seconds()
    clock = "%H:%M:%S" if span_s < 1_800 else "%H:%M" if span_s < 90_000 else "%d/%m %Hh"
    tooltip = [
        alt.Tooltip("time:T", title="Quando", format="%d/%m %H:%M:%S"),
        alt.Tooltip("value:Q", title=title, format=number),
    ]
    chart = alt.Chart(frame).encode(
        x=alt.X("time:T", title="Hora", axis=alt.Axis(format=clock, labelOverlap=True, tickCount=4)),
        y=alt.Y("value:Q", title=title, axis=number_axis(number), stack=True if stacked else None),
        tooltip=tooltip,
    )
    if series:
        present = {name: colour for name, colour in (colours or {}).items() if name in set(frame[series])}
        scale = alt.Scale(domain=list(present), range=list(present.values())) if present else alt.Undefined
        longest = max(map(len, frame[series].astype(str)))
        legend = alt.Legend(
            orient="top", columns=5 if longest < SHORT else 3, labelLimit=240, title=None, offset=4, padding=0
        )
        chart = chart.encode(
            color=alt.Color(field=series, type="nominal", scale=scale, legend=legend),
            tooltip=[alt.Tooltip(field=series, type="nominal"), *tooltip],
        )
    marked = chart.mark_area(opacity=0.75) if stacked else chart.mark_line(strokeWidth=2)
    show(marked, alternative)


def _largest(frame: pd.DataFrame, series: str) -> pd.DataFrame:
    """The series that matter: more than a handful of colours can't be told apart."""
    weight = frame.groupby(series)["value"].sum().nlargest(MOST_SERIES)
    return frame[frame[series].isin(weight.index)]


def number_axis(number: str) -> alt.Axis:
    return alt.Axis(format=number, tickCount=5, tickMinStep=1 if number == ",.0f" else alt.Undefined)


def show(chart: alt.Chart, alternative: str, height: int = HEIGHT) -> None:
    st.altair_chart(
        chart.properties(height=height).configure(locale=_LOCALE), width="stretch", alt=alternative
    )
