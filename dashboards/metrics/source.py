"""What the pages ask about metrics, whichever of the two sources answers.

Frames have a column for each label in `by` and `value`, and `time` (UTC) first where they tell a development.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd


@dataclass(frozen=True, slots=True)
class Match:
    """Only series whose label matches the whole pattern, or, negated, only the others."""

    label: str
    pattern: str
    negated: bool = False


Labels = tuple[str, ...]
Matches = tuple[Match, ...]


class Source(Protocol):
    @property
    def span(self) -> str:
        """What the totals count, for the reader."""

    @property
    def name(self) -> str:
        """Whose figures they are, for the reader."""

    def rate(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        """Increase per second, over time."""

    def total(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        """Increase over the whole span."""

    def quantile(self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        """A quantile of a histogram (its name without `_bucket`), over time."""

    def total_quantile(
        self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()
    ) -> pd.DataFrame:
        """A quantile of all observations in the span."""

    def level(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        """A gauge now; of several replicas the highest."""

    def levels(self, gauge: str, by: Labels = (), *, summed: bool = False) -> pd.DataFrame:
        """A gauge over time; of several replicas the highest, or the sum where each tells its own share."""


def latest(frame: pd.DataFrame) -> float | None:
    """The newest value of one development that is not broken off; None if there is none."""
    return last_number(frame["value"].tolist())


def only(frame: pd.DataFrame) -> float | None:
    """The one value of a frame without labels; None if nothing was measured."""
    return last_number(frame["value"].tolist())


def last_number(values: list[float]) -> float | None:
    return float(values[-1]) if values and values[-1] == values[-1] else None
