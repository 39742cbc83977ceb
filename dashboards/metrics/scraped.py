"""The source without Prometheus: rates and quantiles computed from readings of `/metrics`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboards.client.http_client import HttpClient
from dashboards.metrics.exposition import Labels as SeriesLabels
from dashboards.metrics.exposition import Samples, parse
from dashboards.metrics.histograms import histogram_quantile
from dashboards.metrics.history import Reading
from dashboards.metrics.source import Labels, Match, Matches

METRICS = "/metrics"
WINDOW_S = 60.0

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
"""A row for each reading, a column for each series; NaN where a reading does not have the series."""
Group = tuple[str, ...]
"""The values of the labels that a result is grouped by."""


def fetch_samples(client: HttpClient) -> Samples:
    with client.parsing(METRICS):
        return parse(client.get(METRICS).text)


@dataclass(frozen=True, slots=True)
class ScrapedSource:
    """`readings` are at least one, oldest first."""

    readings: tuple[Reading, ...]
    name: str = "/metrics da API"
    span: str = "desde que a API subiu"

    def rate(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        rates = {
            group: self._per_second(increases(values).sum(axis=1))
            for group, _, values in self._grouped(counter, by, where)
        }
        return self._over_time(rates, by)

    def total(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        totals = {
            group: float(np.nansum(values[-1])) for group, _, values in self._grouped(counter, by, where)
        }
        return _frame(totals, by)

    def quantile(self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        quantiles = {}
        for group, series, values in self._grouped(f"{histogram}_bucket", by, where):
            bounds, counts = _buckets(series, increases(values))
            rates = np.column_stack([self._per_second(column) for column in counts.T])
            quantiles[group] = np.array([histogram_quantile(quantile, bounds, row.tolist()) for row in rates])
        return self._over_time(quantiles, by)

    def total_quantile(
        self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()
    ) -> pd.DataFrame:
        quantiles = {}
        for group, series, values in self._grouped(f"{histogram}_bucket", by, where):
            bounds, counts = _buckets(series, np.nan_to_num(values[-1:]))
            quantiles[group] = histogram_quantile(quantile, bounds, counts[0].tolist())
        return _frame(quantiles, by)

    def level(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        newest = ScrapedSource(self.readings[-1:])
        return newest.levels(gauge, by).drop(columns="time")

    def levels(self, gauge: str, by: Labels = (), *, summed: bool = False) -> pd.DataFrame:
        combine = np.nansum if summed else np.fmax.reduce
        levels = {group: combine(values, axis=1) for group, _, values in self._grouped(gauge, by)}
        return self._over_time(levels, by)

    @property
    def _times(self) -> Vector:
        return np.array([reading.at for reading in self.readings])

    def _grouped(
        self, name: str, by: Labels, where: Matches = ()
    ) -> Iterator[tuple[Group, list[SeriesLabels], Matrix]]:
        """Yield each group's series and their values."""
        rows = [reading.samples.get(name, {}) for reading in self.readings]
        all_series = dict.fromkeys(labels for row in rows for labels in row)
        for group, series in _group_series(all_series, by, where).items():
            values = np.array([[row.get(labels, np.nan) for labels in series] for row in rows])
            yield group, series, values

    def _per_second(self, increase: Vector) -> Vector:
        """Return the mean over the window that ends at each reading; NaN where no earlier reading lies in it."""
        times, cumulative = self._times, np.cumsum(increase)
        first = np.searchsorted(times, times - WINDOW_S)
        elapsed = times - times[first]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(elapsed > 0, (cumulative - cumulative[first]) / elapsed, np.nan)

    def _over_time(self, groups: dict[Group, Vector], by: Labels) -> pd.DataFrame:
        times = pd.to_datetime(self._times, unit="s", utc=True)
        frames = [
            pd.DataFrame({"time": times, **dict(zip(by, group, strict=True)), "value": values})
            for group, values in groups.items()
        ]
        empty = pd.DataFrame({"time": times[:0], **dict.fromkeys(by, pd.Series(dtype=str)), "value": []})
        return pd.concat(frames, ignore_index=True) if frames else empty


def increases(values: Matrix) -> Matrix:
    """Return each counter's growth since the reading before.

    A counter that fell was reset and restarted at 0, as did one that was missing before.
    """
    present = np.nan_to_num(values)
    before = np.vstack([present[:1], present[:-1]])
    return np.where(present >= before, present - before, np.where(np.isnan(values), 0.0, present))


def _group_series(
    all_series: Iterable[SeriesLabels], by: Labels, where: Matches
) -> dict[Group, list[SeriesLabels]]:
    groups: dict[Group, list[SeriesLabels]] = defaultdict(list)
    for series in all_series:
        labels = dict(series)
        if all(_matches(match, labels) for match in where):
            groups[tuple(labels.get(label, "") for label in by)].append(series)
    return groups


def _matches(match: Match, labels: dict[str, str]) -> bool:
    return bool(re.fullmatch(match.pattern, labels.get(match.label, ""))) is not match.negated


def _buckets(series: list[SeriesLabels], values: Matrix) -> tuple[list[float], Matrix]:
    """Return the upper bounds in ascending order and, in a column for each, the sums of its series."""
    bound_of = [float(dict(labels).get("le", "nan")) for labels in series]
    bounds = sorted({bound for bound in bound_of if bound == bound})
    columns = [values[:, [at == bound for at in bound_of]].sum(axis=1) for bound in bounds]
    return bounds, np.column_stack(columns) if columns else np.zeros((len(values), 0))


def _frame(values: dict[Group, float], by: Labels) -> pd.DataFrame:
    return pd.DataFrame([(*group, value) for group, value in values.items()], columns=[*by, "value"])
