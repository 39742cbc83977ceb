"""What Prometheus reads: the instruments are private to this room, which offers verbs. See docs/metrics.md."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

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


class RequestKind(StrEnum):
    """Requests that have metrics of their own; the values of orders are the label `order_type`."""

    ORDER_CREATE = "create"
    ORDER_UPDATE = "update"
    LOGIN = "login"


class Metrics:
    """The instruments of one application, in a registry of its own. They lock themselves."""

    def __init__(self, look: Callable[[], ShopState]) -> None:
        """`look` tells how the shop stands; what it raises costs one scrape those figures, and no more."""
        self._folder = os.environ.get(FOLDER_VARIABLE)
        # Chosen anew, since the library chose when it was imported, which was before the server knew.
        values.ValueClass = values.get_value_class()
        disable_created_metrics()  # a second series for each counter and histogram, which nobody asks for
        self._state = StateCollector(look)
        self._registry = registry = CollectorRegistry()

        counter = functools.partial(Counter, registry=registry)
        gauge = functools.partial(Gauge, registry=registry)
        histogram = functools.partial(Histogram, buckets=BUCKETS, registry=registry)

        answered, took = "Requisições respondidas", "Segundos até a resposta"
        self._requests = counter("api_requests_total", answered, ["method", "endpoint", "status"])
        self._latency = histogram("api_request_latency_seconds", took, ["method", "endpoint"])
        self._errors = counter("api_errors_total", "Respostas de erro", ["endpoint", "error_type"])
        flask_labels = ["method", "path", "status"]
        self._flask_requests = counter("flask_http_request_total", answered, flask_labels)
        self._flask_latency = histogram("flask_http_request_duration_seconds", took, flask_labels)
        self._in_flight = gauge(
            "ecommerce_active_sessions_gauge", "Requisições em andamento", multiprocess_mode="livesum"
        )

        self._orders = counter(
            "ecommerce_orders_created_total",
            "Pedidos cujo pagamento terminou",
            ["status", "payment_status"],
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
        self._trainings = counter("livraria_trainings_total", "Treinos de modelo terminados", ["outcome"])
        self._predictions = counter(
            "livraria_predictions_total", "Avaliações previstas, pela avaliação", ["rating"]
        )
        self._far_out = counter(
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
        self._model_refused = gauge(
            "livraria_model_refused",
            "1 enquanto o artefato do modelo em uso é recusado",
            multiprocess_mode="livemax",
        )
        self._logins = counter("livraria_logins_total", "Tentativas de login", ["outcome"])
        self._lines_lost = counter(
            "livraria_log_lines_lost_total", "Linhas de log que não puderam ser gravadas"
        )
        self._begin_at_zero()

    def begin_route(
        self, method: str, route: str, statuses: Iterable[int], error_types: Iterable[str]
    ) -> None:
        """Have the series of what a route may answer, before it first does."""
        for status in statuses:
            self._requests.labels(method, route, status)
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
        self._requests.labels(method, route, status).inc()
        self._latency.labels(method, route).observe(seconds)
        self._flask_requests.labels(method, route, status).inc()
        self._flask_latency.labels(method, route, status).observe(seconds)
        if error_type is not None:
            self._errors.labels(route, error_type).inc()
        if kind in (RequestKind.ORDER_CREATE, RequestKind.ORDER_UPDATE):
            self._order_latency.labels(kind.value).observe(seconds)
        elif kind is RequestKind.LOGIN and status in _LOGIN_OUTCOMES:
            self._logins.labels(_LOGIN_OUTCOMES[status]).inc()

    def count_order(self, status: OrderStatus, pounds: float, units: int) -> None:
        """The payment of an order came to an end."""
        labels = _PAYMENT_STATUS.get(status)
        if labels is None:
            return
        self._orders.labels(*labels).inc()
        if status is OrderStatus.PENDING:
            self._revenue.inc(pounds)
            self._units_sold.inc(units)

    def count_payment(self, decision: Decision | None, seconds: float) -> None:
        """The gateway decided, or did not in time."""
        self._payments.labels("timeout" if decision is None else decision.value).inc()
        self._payment_latency.observe(seconds)

    def count_mismatches(self, number: int) -> None:
        self._mismatches.set(number)

    def count_run(self, status: RunStatus, *, done: int, failed: int, reused: int) -> None:
        """A scraping run has ended; of its pages that are `done`, some failed and some were read by another run."""
        read = max(0, done - failed - reused)
        self._runs.labels(status.value).inc()
        for outcome, pages in (("read", read), ("failed", failed), ("reused", reused)):
            self._pages.labels(outcome).inc(pages)

    def count_training(self, status: RunStatus) -> None:
        """A training has ended."""
        self._trainings.labels(status.value).inc()

    def count_predictions(self, by_rating: Mapping[int, int]) -> None:
        """So many predictions were answered of each rating."""
        for rating, number in by_rating.items():
            self._predictions.labels(rating).inc(number)

    def count_far_out(self, by_feature: Mapping[str, int]) -> None:
        """So many inputs were far outside the training data, by the feature that is."""
        for feature, number in by_feature.items():
            self._far_out.labels(feature).inc(number)

    def tell_drift(self, by_feature: Mapping[str, float]) -> None:
        """How far the last inputs are from the training data, by the feature."""
        for feature, index in by_feature.items():
            self._drift.labels(feature).set(index)

    def tell_model_refused(self, refused: bool) -> None:
        self._model_refused.set(refused)

    def count_lost_line(self) -> None:
        self._lines_lost.inc()

    def render(self) -> bytes:
        """Everything, in Prometheus' text format; of all worker processes, where there are several."""
        answer = CollectorRegistry()
        answer.register(self._state)
        if self._folder is None:
            for collector in (self._registry, PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
                answer.register(collector)
        else:
            forget_dead_processes(Path(self._folder))
            multiprocess.MultiProcessCollector(answer, self._folder)
            answer.register(ProcessesCollector(os.getppid()))
        return generate_latest(answer)

    def _begin_at_zero(self) -> None:
        """Alerts compare with what was before: the first failure must not be the first sample of its series."""
        for labels in _PAYMENT_STATUS.values():
            self._orders.labels(*labels)
        self._errors.labels("/orders", "insufficient_stock")
        for outcome in (*Decision, "timeout"):
            self._payments.labels(str(outcome))
        for kind in (RequestKind.ORDER_CREATE, RequestKind.ORDER_UPDATE):
            self._order_latency.labels(kind.value)
        for status in RunStatus:
            if status is not RunStatus.PROCESSING:
                self._runs.labels(status.value)
        for status in (RunStatus.DONE, RunStatus.ERROR, RunStatus.INTERRUPTED):
            self._trainings.labels(status.value)
        for rating in RATINGS:
            self._predictions.labels(rating)
        for feature in OUT_OF_DISTRIBUTION_FEATURES:
            self._far_out.labels(feature)
        for feature in BASIC_FEATURES:
            self._drift.labels(feature)
        for outcome in ("read", "failed", "reused"):
            self._pages.labels(outcome)
        for outcome in _LOGIN_OUTCOMES.values():
            self._logins.labels(outcome)
