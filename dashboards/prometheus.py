"""The source with a memory: Prometheus' HTTP API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboards.servers import Malformed, Server
from dashboards.sources import Labels, Matches

POINTS = 120
SMALLEST_STEP_S = 5
SMALLEST_WINDOW_S = 60  # four readings at Prometheus' usual pace of 15 s


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    server: Server
    period_s: int
    span: str
    name: str = "Prometheus"
    clock: Callable[[], float] = time.time

    def knows_the_shop(self) -> bool:
        """Whether it collects this kind of API at all."""
        return not self._now("count(api_requests_total)", ()).empty

    def rate(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        return self._over_time(f"sum{_by(by)} (rate({_selector(counter, where)}[{self._window_s}s]))", by)

    def total(self, counter: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        return self._now(f"sum{_by(by)} (increase({_selector(counter, where)}[{self.period_s}s]))", by)

    def quantile(self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()) -> pd.DataFrame:
        return self._over_time(_quantile(quantile, histogram, by, where, self._window_s), by)

    def total_quantile(
        self, quantile: float, histogram: str, by: Labels = (), where: Matches = ()
    ) -> pd.DataFrame:
        return self._now(_quantile(quantile, histogram, by, where, self.period_s), by)

    def level(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        return self._now(f"max{_by(by)} ({gauge})", by)

    def levels(self, gauge: str, by: Labels = ()) -> pd.DataFrame:
        return self._over_time(f"max{_by(by)} ({gauge})", by)

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
        return self._frame(path, result, by)

    def _frame(self, path: str, answer: Any, by: Labels) -> pd.DataFrame:
        try:
            rows = [
                (float(at), *(str(series["metric"].get(label, "")) for label in by), float(value))
                for series in answer["data"]["result"]
                for at, value in (series["values"] if "values" in series else [series["value"]])
            ]
            frame = pd.DataFrame(rows, columns=["time", *by, "value"])
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


def _quantile(quantile: float, histogram: str, by: Labels, where: Matches, window_s: int) -> str:
    buckets = _selector(f"{histogram}_bucket", where)
    return f"histogram_quantile({quantile}, sum{_by(('le', *by))} (rate({buckets}[{window_s}s])))"
