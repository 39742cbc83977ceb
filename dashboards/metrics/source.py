"""The questions that pages ask about metrics, and the form of the results, for both sources.

Frames have a column for each label in `by` and a column `value`; those over time begin with a column `time` (UTC).
"""

from dataclasses import dataclass
from typing import Protocol

import pandas as pd


@dataclass(frozen=True, slots=True)
class Match:
    """Selects the series whose label matches the whole pattern; negated, all others."""

    label: str
    pattern: str
    negated: bool = False


Labels = tuple[str, ...]
Matches = tuple[Match, ...]


class Source(Protocol):
    @property
    def span(self) -> str:
        """The time that totals cover, in the reader's words."""

    @property
    def name(self) -> str:
        """The source's name for the reader."""

    def rate(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        """Return the increase per second, over time."""

    def total(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        """Return the increase over the whole span."""

    def quantile(self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        """Return a quantile of a histogram (its name without `_bucket`), over time."""

    def total_quantile(
        self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()
    ) -> pd.DataFrame:
        """Return a quantile of all observations in the span."""

    def level(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        """Return a gauge's value now, the highest of several replicas."""

    def levels(self, gauge: str, by: Labels = (), *, summed: bool = False) -> pd.DataFrame:
        """Return a gauge over time: the highest of several replicas or, `summed`, the sum of their shares."""


def last_value(frame: pd.DataFrame) -> float | None:
    """Return the last value of a frame without labels; None if it is empty or ends in NaN."""
    values = frame["value"].tolist()
    return float(values[-1]) if values and values[-1] == values[-1] else None
