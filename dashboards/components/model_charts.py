"""Charts with a reference line: candidates beside the baseline, drift beside its limit."""

import altair as alt
import pandas as pd

from dashboards.client.model import DRIFT_LIMIT
from dashboards.components.charts import BAR_AXIS_HEIGHT, number_axis, show_chart

ROW_HEIGHT = 44
GOOD, NEUTRAL, LIMIT = "#2f9e6e", "#8b8d98", "#e5484d"
_LABELS = alt.Axis(labelLimit=200, labelOverlap=False)


def show_candidates(frame: pd.DataFrame, baseline: float, axis_end: float, alt_text: str) -> None:
    """Draw each row's Acerto as a point and its Desvio as a bar to either side, coloured by Promovido.

    Charts with the same `axis_end` can be compared.
    """
    frame = frame.assign(
        low=(frame["Acerto"] - frame["Desvio"]).clip(lower=0), high=frame["Acerto"] + frame["Desvio"]
    )
    scale = alt.Scale(domain=[0, axis_end], nice=False)
    base = alt.Chart(frame).encode(
        y=alt.Y("Candidato:N", sort=frame["Candidato"].tolist(), title=None, axis=_LABELS),
        color=alt.condition("datum.Promovido", alt.value(GOOD), alt.value(NEUTRAL)),
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
    show_chart(
        spread + points + _reference_line(baseline), alt_text, ROW_HEIGHT * len(frame) + BAR_AXIS_HEIGHT
    )


def show_drift(frame: pd.DataFrame, alt_text: str) -> None:
    """Draw each row's Índice as a bar, beside the limit."""
    end = max(1.2 * DRIFT_LIMIT, 1.1 * float(frame["Índice"].max()))
    scale = alt.Scale(domain=[0, end], nice=False)
    bars = (
        alt.Chart(frame)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            y=alt.Y("Atributo:N", sort=frame["Atributo"].tolist(), title=None, axis=_LABELS),
            x=alt.X("Índice:Q", scale=scale, title="Índice PSI", axis=number_axis(",.2f")),
            color=alt.condition(f"datum['Índice'] > {DRIFT_LIMIT}", alt.value(LIMIT), alt.value(GOOD)),
            tooltip=[alt.Tooltip("Atributo:N"), alt.Tooltip("Índice:Q", format=",.2f")],
        )
    )
    show_chart(bars + _reference_line(DRIFT_LIMIT), alt_text, ROW_HEIGHT * len(frame) + BAR_AXIS_HEIGHT)


def _reference_line(at: float) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame({"at": [at]}))
        .mark_rule(strokeDash=[5, 4], strokeWidth=2, color=LIMIT)
        .encode(x="at:Q")
    )
    return chart
