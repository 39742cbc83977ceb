"""The two charts in which a line says what is good: candidates beside the baseline, drift beside its limit."""

from __future__ import annotations

import altair as alt
import pandas as pd

from dashboards.client.model import DRIFTED
from dashboards.components.charts import BAR_AXIS_HEIGHT, number_axis, show

ROW_HEIGHT = 44
BEATS, DOES_NOT, LIMIT = "#2f9e6e", "#8b8d98", "#e5484d"
_LABELS = alt.Axis(labelLimit=200, labelOverlap=False)


def candidates(frame: pd.DataFrame, baseline: float, most: float, alternative: str) -> None:
    """A point for each row's Acerto, a bar for its Desvio to either side, and a line at the baseline.

    The colour is that of Promovido; `most` ends the axis, so that charts beside each other compare.
    """
    frame = frame.assign(
        low=(frame["Acerto"] - frame["Desvio"]).clip(lower=0), high=frame["Acerto"] + frame["Desvio"]
    )
    scale = alt.Scale(domain=[0, most], nice=False)
    base = alt.Chart(frame).encode(
        y=alt.Y("Candidato:N", sort=frame["Candidato"].tolist(), title=None, axis=_LABELS),
        color=alt.condition("datum.Promovido", alt.value(BEATS), alt.value(DOES_NOT)),
        tooltip=[
            alt.Tooltip("Candidato:N"),
            alt.Tooltip("Acerto:Q", format=".1%"),
            alt.Tooltip("Desvio:Q", format=".1%"),
        ],
    )
    spread = base.mark_bar(height=5, opacity=0.45, cornerRadius=2).encode(
        x=alt.X("low:Q", scale=scale, title="Acerto na validação cruzada", axis=number_axis(".0%")),
        x2="high:Q",
    )
    points = base.mark_point(filled=True, size=110, opacity=1).encode(x=alt.X("Acerto:Q", scale=scale))
    show(spread + points + _line(baseline), alternative, ROW_HEIGHT * len(frame) + BAR_AXIS_HEIGHT)


def drift(frame: pd.DataFrame, alternative: str) -> None:
    """A bar for each row's Índice, and a line at the limit."""
    scale = alt.Scale(domain=[0, max(1.2 * DRIFTED, 1.1 * float(frame["Índice"].max()))], nice=False)
    bars = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            y=alt.Y("Atributo:N", sort=frame["Atributo"].tolist(), title=None, axis=_LABELS),
            x=alt.X("Índice:Q", scale=scale, title="Índice PSI", axis=number_axis(",.2f")),
            color=alt.condition(f"datum['Índice'] > {DRIFTED}", alt.value(LIMIT), alt.value(BEATS)),
            tooltip=[alt.Tooltip("Atributo:N"), alt.Tooltip("Índice:Q", format=",.2f")],
        )
    )
    show(bars + _line(DRIFTED), alternative, ROW_HEIGHT * len(frame) + BAR_AXIS_HEIGHT)


def _line(at: float) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame({"at": [at]}))
        .mark_rule(strokeDash=[5, 4], strokeWidth=2, color=LIMIT)
        .encode(x="at:Q")
    )
    return chart
