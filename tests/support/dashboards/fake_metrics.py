"""The metrics of a hand-written shop."""

from __future__ import annotations

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ShopMetrics:
    """Real instruments under the names of docs/metrics.md."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, documentation="-", registry=self.registry)
        gauge = partial(Gauge, documentation="-", registry=self.registry)
        self.requests = counter("api_requests_total", labelnames=["method", "endpoint", "status"])
        self.errors = counter("api_errors_total", labelnames=["endpoint", "error_type"])
        self.latency = Histogram(
            "api_request_latency_seconds",
            "-",
            ["method", "endpoint"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.payments = counter("livraria_payments_total", labelnames=["outcome"])
        self.created = counter("ecommerce_orders_created_total", labelnames=["status", "payment_status"])
        self.revenue = counter("ecommerce_revenue_pounds_total")
        self.sold = counter("ecommerce_units_sold_total")
        self.orders = gauge("livraria_orders", labelnames=["status"])
        self.inventory = gauge("ecommerce_inventory_level_gauge", labelnames=["product_id"])
        for name, value in {
            "ecommerce_active_sessions_gauge": 1,
            "livraria_stock_units": 12345,
            "livraria_low_stock_books": 56,
            "livraria_out_of_stock_books": 7,
        }.items():
            gauge(name).set(value)
        self.predictions = counter("livraria_predictions_total", labelnames=["rating"])
        self.far_out = counter("livraria_prediction_inputs_far_out_total", labelnames=["feature"])
        self.drift = gauge("livraria_prediction_drift_psi", labelnames=["feature"])
        for feature in ("preco_com_taxa", "preco_sem_taxa", "disponibilidade"):
            self.far_out.labels(feature)
            self.drift.labels(feature)
        self.predictions.labels("5").inc(12)
        for status, count in {"pending": 30, "shipped": 10, "payment_denied": 10}.items():
            self.orders.labels(status).set(count)
        for book in range(5):
            self.inventory.labels(str(book)).set(book)
        self._count_requests(40)

    def _count_requests(self, requests: int) -> None:
        for number in range(requests):
            endpoint = ("/api/v1/books", "/orders")[number % 2]
            self.requests.labels("GET", endpoint, "500" if number % 20 == 0 else "200").inc()
            self.latency.labels("GET", endpoint).observe(0.003 * (number % 20))
        self.errors.labels("/orders", "internal_server_error").inc(requests / 20)
        self.created.labels("success", "approved").inc(8)
        self.created.labels("failure", "denied").inc(2)
        self.payments.labels("approved").inc(8)
        self.payments.labels("denied").inc(2)
        self.revenue.inc(1234.5)
        self.sold.inc(11)

    def text(self) -> str:
        return generate_latest(self.registry).decode()
