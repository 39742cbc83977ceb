"""A book's price and stock over time, and values of changes in the reader's words."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import altair as alt
import pandas as pd

from dashboards import formats
from dashboards.components.charts import number_axis, show_chart
from dashboards.components.labels import TEXTS

LONG_DAYS = 3
"""From so many days on, the axis names days without hours."""


def show_course(
    observations: pd.DataFrame,
    column: str,
    title: str,
    *,
    until: datetime | None,
    number_format: str,
    format_value: Callable[[float], str],
    alt_text: str,
) -> None:
    """Draw the steps of a column with a mark at each observation, and a gap while the book was not on sale.

    The line ends at `until`, the time of the newest publication, since nothing was observed later.
    """
    frame = course(observations, column, until)
    frame["shown"] = [format_value(value) for value in frame["value"]]
    long = frame["time"].max() - frame["time"].min() > pd.Timedelta(days=LONG_DAYS)
    x_axis = alt.Axis(format="%d/%m/%Y" if long else "%d/%m %H:%M", labelOverlap=True, tickCount=4)
    base = alt.Chart(frame).encode(
        x=alt.X("time:T", title="Publicação", axis=x_axis),
        y=alt.Y(
            "value:Q", title=title, axis=number_axis(number_format), scale=alt.Scale(zero=False, padding=12)
        ),
    )
    lines = base.mark_line(strokeWidth=2, interpolate="step-after").encode(detail="stretch:N")
    marks = (
        base.transform_filter("datum.observed")
        .mark_point(filled=True, size=60, opacity=1)
        .encode(
            tooltip=[
                alt.Tooltip("time:T", title="Quando", format="%d/%m/%Y %H:%M"),
                alt.Tooltip("shown:N", title=title),
            ]
        )
    )
    show_chart(lines + marks, alt_text)


def course(observations: pd.DataFrame, column: str, until: datetime | None) -> pd.DataFrame:
    """Return the points of the line: time, value, whether it was observed, and the stretch on sale it belongs to."""
    points: list[tuple[Any, float, bool, int]] = []
    stretch, on_sale = 0, False
    for at, value, listed in zip(
        observations["observado_em"], observations[column], observations["listado"], strict=True
    ):
        if listed:
            points.append((at, value, True, stretch))
        elif on_sale:
            points.append((at, points[-1][1], False, stretch))
            stretch += 1
        on_sale = listed
    if on_sale and until is not None and until > points[-1][0]:
        points.append((pd.Timestamp(until), points[-1][1], False, stretch))
    return pd.DataFrame(points, columns=["time", "value", "observed", "stretch"])


def describe_value(kind: str, value: Any) -> str:
    """Write a price, a number of copies, or the texts of an edit."""
    if isinstance(value, dict):
        return "; ".join(f"{TEXTS.get(name, name)}: {text}" for name, text in value.items())
    if value is None:
        return formats.MISSING
    return formats.number(value) if kind == "estoque" else formats.pounds(value)
