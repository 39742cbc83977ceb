"""The source with a history: Prometheus' HTTP API."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from dashboards.client.http_client import HttpClient, Query
from dashboards.metrics.source import Labels, Matches

MAX_POINTS = 120
MIN_STEP_S = 5
MIN_WINDOW_S = 60
"""Four scrapes at Prometheus' usual interval of 15 s."""
RETENTION_S = 7 * 86_400
LOOKBACK_S = 300
"""How far back Prometheus looks for the current value of a series."""


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    client: HttpClient
    period_s: int
    span: str
    name: str = "Prometheus"
    clock: Callable[[], float] = time.time

    def knows_the_shop(self) -> bool:
        """Return True if Prometheus collects this kind of API or still has its history."""
        return not self._now(f"count(last_over_time(livraria_build_info[{RETENTION_S}s]))", ()).empty

    def rate(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        return self._over_time(f"sum{_by(by)} (rate({_selector(counter, where)}[{self._window_s}s]))", by)

    def total(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        return self._now(f"sum{_by(by)} ({_increase(_selector(counter, where), self.period_s)})", by)

    def quantile(self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        rates = f"rate({_selector(f'{histogram}_bucket', where)}[{self._window_s}s])"
        return self._over_time(_quantile(quantile, rates, by), by)

    def total_quantile(
        self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()
    ) -> pd.DataFrame:
        counts = _increase(_selector(f"{histogram}_bucket", where), self.period_s)
        return self._now(_quantile(quantile, counts, by), by)

    def level(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        return self._now(f"max{_by(by)} ({gauge})", by)

    def levels(self, gauge: str, by: Labels = (), *, summed: bool = False) -> pd.DataFrame:
        return self._over_time(f"{'sum' if summed else 'max'}{_by(by)} ({gauge})", by)

    @property
    def _step_s(self) -> int:
        return max(MIN_STEP_S, self.period_s // MAX_POINTS)

    @property
    def _window_s(self) -> int:
        return max(MIN_WINDOW_S, self._step_s)

    def _now(self, expression: str, by: Labels) -> pd.DataFrame:
        frame = self._ask("/api/v1/query", {"query": expression, "time": round(self.clock(), 3)}, by)
        return frame.drop(columns="time")

    def _over_time(self, expression: str, by: Labels) -> pd.DataFrame:
        end = round(self.clock(), 3)
        query: Query = {"query": expression, "start": end - self.period_s, "end": end, "step": self._step_s}
        frame = self._ask("/api/v1/query_range", query, by)
        if not by and not frame.empty and frame["time"].iloc[-1].timestamp() < end - self._step_s:
            gap = {"time": pd.Timestamp(end, unit="s", tz="UTC"), "value": math.nan}
            frame = pd.concat([frame, pd.DataFrame([gap])], ignore_index=True)
        return frame

    def _ask(self, path: str, query: Query, by: Labels) -> pd.DataFrame:
        with self.client.parsing(path):
            body = self.client.get(path, query).json()
            rows = [
                (float(at), *(str(series["metric"].get(label, "")) for label in by), float(value))
                for series in body["data"]["result"]
                for at, value in (series["values"] if "values" in series else [series["value"]])
            ]
            frame = pd.DataFrame(rows, columns=["time", *by, "value"]).astype({"value": float})
            frame["time"] = pd.to_datetime(frame["time"].astype(float), unit="s", utc=True)
        return frame


def _by(labels: Labels) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def _selector(name: str, where: Matches) -> str:
    matchers = [
        f"{match.label}{'!~' if match.negated else '=~'}{json.dumps(match.pattern)}" for match in where
    ]
    return f"{name}{{{','.join(matchers)}}}" if matchers else name


def _increase(series: str, period_s: int) -> str:
    """Return PromQL for the exact growth of each counter in the period.

    It is the value now less the value at the period's start. A counter that began within the period counts as a whole:
    Prometheus was scraping the target before it appeared, or its process is younger than the period. After a reset, or
    where the beginning was not scraped, it is PromQL's own `increase`, which extrapolates and misses a counter's first
    value. `last_over_time` bridges failed scrapes.
    """
    now = f"last_over_time({series}[{period_s}s])"
    before = f"last_over_time({series}[{LOOKBACK_S}s] offset {period_s}s)"
    no_reset = f"unless resets({series}[{period_s}s]) > 0"
    new = f"up offset {period_s}s or last_over_time(process_start_time_seconds[{period_s}s]) > time() - {period_s}"
    return (
        f"(({now} - {before}) >= 0 {no_reset}) "
        f"or ({now} unless {before} {no_reset} and on (job, instance) ({new})) "
        f"or increase({series}[{period_s}s])"
    )


def _quantile(quantile: float, counts: str, by: Labels) -> str:
    return f"histogram_quantile({quantile}, sum{_by(('le', *by))} ({counts}))"
