"""The source without Prometheus: rates from the differences of counters, quantiles from buckets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboards.metrics.exposition import Labels as SeriesLabels
from dashboards.metrics.histograms import histogram_quantile
from dashboards.metrics.history import Reading
from dashboards.metrics.source import Labels, Match, Matches

WINDOW_S = 60.0
Numbers = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveSource:
    """`readings` are at least one, oldest first."""

    readings: tuple[Reading, ...]
    name: str = "/metrics da API"
    span: str = "desde que a API subiu"

    def rate(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        groups = {
            group: self._per_second(increases(numbers).sum(axis=1))
            for group, numbers, _ in self._grouped(counter, by, where)
        }
        return self._over_time(groups, by)

    def total(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        groups = {
            group: float(np.nansum(numbers[-1])) for group, numbers, _ in self._grouped(counter, by, where)
        }
        return _table(groups, by)

    def quantile(self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        groups = {}
        for group, numbers, series in self._grouped(f"{histogram}_bucket", by, where):
            bounds, counts = _buckets(increases(numbers), series)
            rates = np.column_stack([self._per_second(column) for column in counts.T])
            groups[group] = np.array([histogram_quantile(quantile, bounds, row.tolist()) for row in rates])
        return self._over_time(groups, by)

    def total_quantile(
        self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()
    ) -> pd.DataFrame:
        groups = {}
        for group, numbers, series in self._grouped(f"{histogram}_bucket", by, where):
            bounds, counts = _buckets(np.nan_to_num(numbers[-1:]), series)
            groups[group] = histogram_quantile(quantile, bounds, counts[0].tolist())
        return _table(groups, by)

    def level(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        newest = LiveSource(self.readings[-1:])
        return newest.levels(gauge, by).drop(columns="time")

    def levels(self, gauge: str, by: Labels = (), *, summed: bool = False) -> pd.DataFrame:
        combine = np.nansum if summed else np.fmax.reduce
        groups = {group: combine(numbers, axis=1) for group, numbers, _ in self._grouped(gauge, by, ())}
        return self._over_time(groups, by)

    @property
    def _times(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([reading.at for reading in self.readings])

    def _grouped(
        self, name: str, by: Labels, where: Matches
    ) -> Iterator[tuple[Group, Numbers, list[SeriesLabels]]]:
        """For each group of series its numbers, a row for each reading; NaN where a series was not there."""
        rows = [reading.samples.get(name, {}) for reading in self.readings]
        groups: dict[Group, list[SeriesLabels]] = {}
        for series in dict.fromkeys(labels for row in rows for labels in row):
            labels = dict(series)
            if all(_matches(match, labels) for match in where):
                groups.setdefault(tuple(labels.get(label, "") for label in by), []).append(series)
        for group, members in groups.items():
            numbers = np.array([[row.get(series, np.nan) for series in members] for row in rows])
            yield group, numbers, members

    def _per_second(
        self, increase: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The mean over the window that ends at each reading; NaN where it holds no earlier reading."""
        times, reached = self._times, np.cumsum(increase)
        first = np.searchsorted(times, times - WINDOW_S)
        elapsed = times - times[first]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(elapsed > 0, (reached - reached[first]) / elapsed, np.nan)

    def _over_time(
        self, groups: dict[Group, np.ndarray[tuple[int], np.dtype[np.float64]]], by: Labels
    ) -> pd.DataFrame:
        times = pd.to_datetime(self._times, unit="s", utc=True)
        frames = [
            pd.DataFrame({"time": times, **dict(zip(by, group, strict=True)), "value": values})
            for group, values in groups.items()
        ]
        empty = pd.DataFrame({"time": times[:0], **dict.fromkeys(by, pd.Series(dtype=str)), "value": []})
        return pd.concat(frames, ignore_index=True) if frames else empty


def increases(numbers: Numbers) -> Numbers:
    """What each counter grew by since the reading before.

    One that fell was reset and began again at 0, as did one that was not there before.
    """
    present = np.nan_to_num(numbers)
    before = np.vstack([present[:1], present[:-1]])
    return np.where(present >= before, present - before, np.where(np.isnan(numbers), 0.0, present))


def _matches(match: Match, labels: dict[str, str]) -> bool:
    return bool(re.fullmatch(match.pattern, labels.get(match.label, ""))) is not match.negated


def _buckets(numbers: Numbers, series: list[SeriesLabels]) -> tuple[list[float], Numbers]:
    """The upper bounds in ascending order and, a column for each, the sums of their numbers."""
    bound_of = [float(dict(labels).get("le", "nan")) for labels in series]
    bounds = sorted({bound for bound in bound_of if bound == bound})
    columns = [numbers[:, [at == bound for at in bound_of]].sum(axis=1) for bound in bounds]
    return bounds, np.column_stack(columns) if columns else np.zeros((len(numbers), 0))


def _table(groups: dict[Group, float], by: Labels) -> pd.DataFrame:
    rows = [(*group, value) for group, value in groups.items()]
    return pd.DataFrame(rows, columns=[*by, "value"])
