"""The series of requests: one histogram, from which the families of both seeds are derived when Prometheus asks.

Each request is measured once; S0's and S1's names are views of the same measurement, and can't disagree.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_NAME = "flask_http_request_duration_seconds"
_RESPONSES, _SECONDS = "Requisições respondidas", "Segundos até a resposta"

Kind = tuple[str, str, str]
"""A method, a route's template and a status."""


class Source(Protocol):
    """Anything that yields metrics: a registry, or the files that several processes share."""

    def collect(self) -> Iterable[Metric]: ...


class RequestSeries:
    """The histogram of requests by method, route and status.

    `_observers` keeps each kind's child, found once: two threads may both set one, to the same child. It is bounded
    by the methods, the routes and the statuses.
    """

    def __init__(self, registry: CollectorRegistry, buckets: Sequence[float]) -> None:
        labels = ["method", "path", "status"]
        self._histogram = Histogram(_NAME, _SECONDS, labels, registry=registry, buckets=buckets)
        self._observers: dict[tuple[str, str, int], Callable[[float], None]] = {}
        self.declared: set[Kind] = set()

    def declare(self, method: str, route: str, status: int) -> None:
        """Count responses of that kind from zero: to alerts, a first failure must not be a first sample."""
        self.declared.add((method, route, str(status)))

    def observer(self, method: str, route: str, status: int) -> Callable[[float], None]:
        """Return the function that counts a response of that kind, with its seconds."""
        kind = (method, route, status)
        observe = self._observers.get(kind)
        if observe is None:
            observe = self._observers[kind] = self._histogram.labels(*kind).observe
        return observe


class RequestFamilies(Collector):
    """Yields the metrics of `source` and the families that the histogram of requests holds in itself."""

    def __init__(self, source: Source, series: RequestSeries) -> None:
        self._source = source
        self._declared = series.declared

    def collect(self) -> Iterator[Metric]:
        histogram = Metric(_NAME, _SECONDS, "histogram")
        for metric in self._source.collect():
            if metric.name == _NAME:
                histogram = metric
            yield metric
        yield from self._counts(histogram)
        yield _latency_by_route(histogram)

    def describe(self) -> Iterable[Metric]:
        return ()

    def _counts(self, histogram: Metric) -> Iterator[Metric]:
        observed = {
            _kind(sample.labels): sample.value
            for sample in histogram.samples
            if sample.name.endswith("_count")
        }
        declared = dict.fromkeys(sorted(self._declared), 0.0)
        for name, route_label, counts in (
            ("api_requests", "endpoint", declared | observed),
            ("flask_http_request", "path", observed),
        ):
            family = CounterMetricFamily(name, _RESPONSES, labels=["method", route_label, "status"])
            for kind, count in counts.items():
                family.add_metric(kind, count)
            yield family


def _latency_by_route(histogram: Metric) -> Metric:
    """Return the histogram without its statuses."""
    buckets: defaultdict[tuple[str, str], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    sums: defaultdict[tuple[str, str], float] = defaultdict(float)
    for sample in histogram.samples:
        method, route, _ = _kind(sample.labels)
        if sample.name.endswith("_bucket"):
            buckets[method, route][sample.labels["le"]] += sample.value
        elif sample.name.endswith("_sum"):
            sums[method, route] += sample.value
    family = HistogramMetricFamily("api_request_latency_seconds", _SECONDS, labels=["method", "endpoint"])
    for kind, by_bound in buckets.items():
        bounds = sorted(by_bound.items(), key=lambda bound: float(bound[0]))
        family.add_metric(kind, bounds, sums[kind])
    return family


def _kind(labels: dict[str, str]) -> Kind:
    return labels["method"], labels["path"], labels["status"]
