"""The source with a memory: Prometheus' HTTP API."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboards.client.http_client import Malformed, Server
from dashboards.metrics.source import Labels, Matches

POINTS = 120
SMALLEST_STEP_S = 5
SMALLEST_WINDOW_S = 60  # four readings at Prometheus' usual pace of 15 s
REMEMBERED_S = 7 * 86_400
SEEN_S = 300  # how far back Prometheus looks for what a series is now


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    server: Server
    period_s: int
    span: str
    name: str = "Prometheus"
    clock: Callable[[], float] = time.time

    def knows_the_shop(self) -> bool:
        """Whether it collects this kind of API, or did: what it remembers outlives the API."""
        return not self._now(f"count(last_over_time(livraria_build_info[{REMEMBERED_S}s]))", ()).empty

    def rate(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        return self._over_time(f"sum{_by(by)} (rate({_selector(counter, where)}[{self._window_s}s]))", by)

    def total(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        return self._now(f"sum{_by(by)} ({_grown(_selector(counter, where), self.period_s)})", by)

    def quantile(self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        rates = f"rate({_selector(f'{histogram}_bucket', where)}[{self._window_s}s])"
        return self._over_time(_quantile(quantile, rates, by), by)

    def total_quantile(
        self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()
    ) -> pd.DataFrame:
        counts = _grown(_selector(f"{histogram}_bucket", where), self.period_s)
        return self._now(_quantile(quantile, counts, by), by)

    def level(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        return self._now(f"max{_by(by)} ({gauge})", by)

    def levels(self, gauge: str, by: Labels = (), *, summed: bool = False) -> pd.DataFrame:
        return self._over_time(f"{'sum' if summed else 'max'}{_by(by)} ({gauge})", by)

    @property
    def _step_s(self) -> int:
        return max(SMALLEST_STEP_S, self.period_s // POINTS)

    @property
    def _window_s(self) -> int:
        return max(SMALLEST_WINDOW_S, self._step_s)

    def _now(self, expression: str, by: Labels) -> pd.DataFrame:
        path = "/api/v1/query"
        result = self.server.json(path, {"query": expression, "time": round(self.clock(), 3)})
        return self._frame(path, result, by).drop(columns="time")

    def _over_time(self, expression: str, by: Labels) -> pd.DataFrame:
        path, end = "/api/v1/query_range", round(self.clock(), 3)
        result = self.server.json(
            path,
            {"query": expression, "start": end - self.period_s, "end": end, "step": self._step_s},
        )
        frame = self._frame(path, result, by)
        if not by and not frame.empty and frame["time"].iloc[-1].timestamp() < end - self._step_s:
            broken_off = {"time": pd.Timestamp(end, unit="s", tz="UTC"), "value": math.nan}
            frame = pd.concat([frame, pd.DataFrame([broken_off])], ignore_index=True)
        return frame

    def _frame(self, path: str, answer: Any, by: Labels) -> pd.DataFrame:
        try:
            rows = [
                (float(at), *(str(series["metric"].get(label, "")) for label in by), float(value))
                for series in answer["data"]["result"]
                for at, value in (series["values"] if "values" in series else [series["value"]])
            ]
            frame = pd.DataFrame(rows, columns=["time", *by, "value"]).astype({"value": float})
            frame["time"] = pd.to_datetime(frame["time"].astype(float), unit="s", utc=True)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            problem: Malformed = self.server.malformed(path)
            raise problem from error
        return frame


def _by(labels: Labels) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def _selector(name: str, where: Matches) -> str:
    matchers = [
        f"{match.label}{'!~' if match.negated else '=~'}{json.dumps(match.pattern)}" for match in where
    ]
    return f"{name}{{{','.join(matchers)}}}" if matchers else name


def _grown(series: str, period_s: int) -> str:
    """What each counter grew by in the period, to the penny: `increase` estimates, and misses what a series was
    born with.

    That is, now less what it was at the start; all of it where it began since: it was not there though Prometheus
    was watching, or its process is younger than the period. Only where the counter was reset, or nobody saw it
    begin, `increase` has to do. `last_over_time` sees past failed scrapes.
    """
    now = f"last_over_time({series}[{period_s}s])"
    before = f"last_over_time({series}[{SEEN_S}s] offset {period_s}s)"
    whole = f"unless resets({series}[{period_s}s]) > 0"
    watched = f"up offset {period_s}s or last_over_time(process_start_time_seconds[{period_s}s]) > time() - {period_s}"
    return (
        f"(({now} - {before}) >= 0 {whole}) "
        f"or ({now} unless {before} {whole} and on (job, instance) ({watched})) "
        f"or increase({series}[{period_s}s])"
    )


def _quantile(quantile: float, counts: str, by: Labels) -> str:
    return f"histogram_quantile({quantile}, sum{_by(('le', *by))} ({counts}))"
