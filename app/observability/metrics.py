"""The metrics of the shop: callers use verbs, and the instruments stay private. See docs/metrics.md."""

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
    values,
)

from app.core.orders import OrderStatus
from app.core.payments import Decision
from app.core.runs import RunStatus
from app.core.shop_state import ShopState
from app.observability.collectors import ProcessesCollector, StateCollector, forget_dead_processes
from app.observability.request_series import RequestFamilies, RequestSeries
from app.observability.shared_folder import FOLDER_VARIABLE
from ml.features import BASIC_FEATURES, OUT_OF_DISTRIBUTION_FEATURES, RATINGS

CONTENT_TYPE = CONTENT_TYPE_LATEST
BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
UNMATCHED = "unmatched"
_LOGIN_OUTCOMES = {200: "success", 401: "failure", 429: "throttled"}
_PAYMENT_STATUS = {
    OrderStatus.PENDING: ("success", "approved"),
    OrderStatus.PAYMENT_DENIED: ("failure", "denied"),
    OrderStatus.FAILED: ("failure", "error"),
}


ModelPart = Literal["ratings", "texts"]
"""What a model was trained for: each has an artefact of its own."""


class RequestKind(StrEnum):
    """Requests that have metrics of their own; the values of orders are the label `order_type`."""

    ORDER_CREATE = "create"
    ORDER_UPDATE = "update"
    LOGIN = "login"


class Metrics:
    """The instruments of one application, in a registry of its own. Safe to share: prometheus_client locks them."""

    def __init__(self, read_state: Callable[[], ShopState]) -> None:
        """`read_state` returns the shop's state; where it raises, a response lacks those figures and no others."""
        self._folder = os.environ.get(FOLDER_VARIABLE)
        # Chosen anew, since the library chose when it was imported, which was before the server knew.
        values.ValueClass = values.get_value_class()
        disable_created_metrics()  # a second series for each counter and histogram, which nothing reads
        self._state = StateCollector(read_state)
        self._registry = registry = CollectorRegistry()

        counter = functools.partial(Counter, registry=registry)
        gauge = functools.partial(Gauge, registry=registry)
        histogram = functools.partial(Histogram, buckets=BUCKETS, registry=registry)

        self._requests = RequestSeries(registry, BUCKETS)
        self._errors = counter("api_errors_total", "Respostas de erro", ["endpoint", "error_type"])
        self._in_flight = gauge(
            "ecommerce_active_sessions_gauge", "Requisições em andamento", multiprocess_mode="livesum"
        )

        self._orders = counter(
            "ecommerce_orders_created_total", "Pedidos cujo pagamento terminou", ["status", "payment_status"]
        )
        self._order_latency = histogram(
            "ecommerce_order_processing_latency_seconds",
            "Segundos de uma requisição de pedido, pagamento incluído",
            ["order_type"],
        )
        self._revenue = counter("ecommerce_revenue_pounds_total", "Libras dos pedidos pagos")
        self._units_sold = counter("ecommerce_units_sold_total", "Exemplares dos pedidos pagos")
        self._payments = counter("livraria_payments_total", "Respostas do serviço de pagamento", ["outcome"])
        self._payment_latency = histogram(
            "livraria_payment_latency_seconds", "Segundos do serviço de pagamento"
        )
        self._mismatches = gauge(
            "ecommerce_ledger_mismatches",
            "O que a última auditoria do estoque e dos pedidos achou fora do lugar",
            multiprocess_mode="mostrecent",
        )

        self._runs = counter("livraria_scrape_runs_total", "Execuções de scraping terminadas", ["outcome"])
        self._pages = counter("livraria_scrape_pages_total", "Páginas dessas execuções", ["outcome"])
        self._scheduled = counter("livraria_schedule_runs_total", "Scrapings da agenda", ["outcome"])
        self._trainings = counter("livraria_trainings_total", "Treinos de modelo terminados", ["outcome"])
        self._predictions = counter(
            "livraria_predictions_total", "Avaliações previstas, pela avaliação", ["rating"]
        )
        self._out_of_distribution = counter(
            "livraria_prediction_inputs_far_out_total",
            "Entradas de predição muito fora dos dados de treino",
            ["feature"],
        )
        self._drift = gauge(
            "livraria_prediction_drift_psi",
            "Quanto as últimas entradas de predição se afastam dos dados de treino (índice PSI)",
            ["feature"],
            multiprocess_mode="livemax",
        )
        self._model_rejected = gauge(
            "livraria_model_refused",
            "1 enquanto um artefato do modelo em uso é recusado",
            multiprocess_mode="livemax",
        )
        self._rejected_parts: dict[ModelPart, bool] = {}
        self._logins = counter("livraria_logins_total", "Tentativas de login", ["outcome"])
        self._lines_lost = counter(
            "livraria_log_lines_lost_total", "Linhas de log que não puderam ser gravadas"
        )
        self._create_known_series()

    def create_series(
        self, method: str, route: str, statuses: Iterable[int], error_types: Iterable[str]
    ) -> None:
        """Create the series of a route's declared responses at zero."""
        for status in statuses:
            self._requests.declare(method, route, status)
        for error_type in error_types:
            self._errors.labels(route, error_type)

    def begin_request(self) -> None:
        self._in_flight.inc()

    def end_request(
        self,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        error_type: str | None,
        kind: RequestKind | None,
    ) -> None:
        """Count a response; `method` is in METHODS or `other`, `route` a template, None for an unknown URL."""
        self._in_flight.dec()
        route = route or UNMATCHED
        self._requests.observer(method, route, status)(seconds)
        if error_type is not None:
            self._errors.labels(route, error_type).inc()
        if kind in (RequestKind.ORDER_CREATE, RequestKind.ORDER_UPDATE):
            self._order_latency.labels(kind.value).observe(seconds)
        elif kind is RequestKind.LOGIN and status in _LOGIN_OUTCOMES:
            self._logins.labels(_LOGIN_OUTCOMES[status]).inc()

    def observer(self, method: str, route: str, status: int) -> Callable[[float], None]:
        """Return the function that counts a response of that kind, with the seconds until it began.

        For responses that take no time worth a gauge: they are never in flight when Prometheus asks.
        """
        return self._requests.observer(method, route, status)

    def count_order(self, status: OrderStatus, pounds: float, units: int) -> None:
        """Count an order whose payment has ended, with its total and its copies where it was paid."""
        if status in _PAYMENT_STATUS:
            self._orders.labels(*_PAYMENT_STATUS[status]).inc()
        if status is OrderStatus.PENDING:
            self._revenue.inc(pounds)
            self._units_sold.inc(units)

    def count_payment(self, decision: Decision | None, seconds: float) -> None:
        """Count what the gateway decided, None for a timeout, after `seconds`."""
        self._payments.labels("timeout" if decision is None else decision.value).inc()
        self._payment_latency.observe(seconds)

    def set_mismatches(self, number: int) -> None:
        self._mismatches.set(number)

    def count_run(self, status: RunStatus, *, done: int, failed: int, reused: int) -> None:
        """Count a scrape that ended, and its `done` pages, with the `failed` and the `reused` among them."""
        read = max(0, done - failed - reused)
        self._runs.labels(status.value).inc()
        for outcome, pages in (("read", read), ("failed", failed), ("reused", reused)):
            self._pages.labels(outcome).inc(pages)

    def count_scheduled_run(self, *, late: bool, missed: int) -> None:
        """Count a run that the schedule began, and the `missed` others that it makes up."""
        self._scheduled.labels("made_up" if late else "on_time").inc()
        self._scheduled.labels("missed").inc(missed)

    def count_training(self, status: RunStatus) -> None:
        """Count a training that ended."""
        self._trainings.labels(status.value).inc()

    def count_predictions(self, by_rating: Mapping[int, int]) -> None:
        """Count predictions, by the rating that they predict."""
        for rating, number in by_rating.items():
            self._predictions.labels(rating).inc(number)

    def count_out_of_distribution(self, by_feature: Mapping[str, int]) -> None:
        """Count inputs far outside the training data, by the feature that is."""
        for feature, number in by_feature.items():
            self._out_of_distribution.labels(feature).inc(number)

    def set_drift(self, by_feature: Mapping[str, float]) -> None:
        """Set how far the last inputs are from the training data (PSI), by feature."""
        for feature, index in by_feature.items():
            self._drift.labels(feature).set(index)

    def set_model_rejected(self, part: ModelPart, *, rejected: bool) -> None:
        """Set whether a part of the model in use is refused; the gauge shows whether any is."""
        self._rejected_parts[part] = rejected
        self._model_rejected.set(any(self._rejected_parts.values()))

    def count_lost_line(self) -> None:
        self._lines_lost.inc()

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format; where there are several worker processes, of all of them."""
        registry = CollectorRegistry()
        registry.register(self._state)
        if self._folder is None:
            registry.register(RequestFamilies(self._registry, self._requests))
            for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
                registry.register(collector)
        else:
            forget_dead_processes(Path(self._folder))
            processes = multiprocess.MultiProcessCollector(None, self._folder)
            registry.register(RequestFamilies(processes, self._requests))
            registry.register(ProcessesCollector(os.getppid()))
        return generate_latest(registry)

    def _create_known_series(self) -> None:
        """Create series at zero: to alerts, which compare, a first failure must not be a first sample."""
        for labels in _PAYMENT_STATUS.values():
            self._orders.labels(*labels)
        self._errors.labels("/orders", "insufficient_stock")
        series: tuple[tuple[Counter | Gauge | Histogram, Iterable[object]], ...] = (
            (self._payments, (*Decision, "timeout")),
            (self._order_latency, (RequestKind.ORDER_CREATE, RequestKind.ORDER_UPDATE)),
            (self._runs, [status for status in RunStatus if status is not RunStatus.PROCESSING]),
            (self._scheduled, ("on_time", "made_up", "missed")),
            (self._trainings, (RunStatus.DONE, RunStatus.ERROR, RunStatus.INTERRUPTED)),
            (self._predictions, RATINGS),
            (self._out_of_distribution, OUT_OF_DISTRIBUTION_FEATURES),
            (self._drift, BASIC_FEATURES),
            (self._pages, ("read", "failed", "reused")),
            (self._logins, _LOGIN_OUTCOMES.values()),
        )
        for instrument, values_of_label in series:
            for value in values_of_label:
                instrument.labels(value)
