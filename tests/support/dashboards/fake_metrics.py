"""What a hand-written shop counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ShopMetrics:
    """Real instruments under the names of docs/metrics.md."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        at = {"registry": self.registry}
        self.requests = Counter("api_requests_total", "-", ["method", "endpoint", "status"], **at)
        self.errors = Counter("api_errors_total", "-", ["endpoint", "error_type"], **at)
        self.latency = Histogram(
            "api_request_latency_seconds", "-", ["method", "endpoint"], buckets=BUCKETS, **at
        )
        self.payments = Counter("livraria_payments_total", "-", ["outcome"], **at)
        self.created = Counter("ecommerce_orders_created_total", "-", ["status", "payment_status"], **at)
        self.revenue = Counter("ecommerce_revenue_pounds_total", "-", **at)
        self.sold = Counter("ecommerce_units_sold_total", "-", **at)
        self.orders = Gauge("livraria_orders", "-", ["status"], **at)
        self.inventory = Gauge("ecommerce_inventory_level_gauge", "-", ["product_id"], **at)
        for name, value in {
            "ecommerce_active_sessions_gauge": 1,
            "livraria_stock_units": 12345,
            "livraria_low_stock_books": 56,
            "livraria_out_of_stock_books": 7,
        }.items():
            Gauge(name, "-", **at).set(value)
        self.predictions = Counter("livraria_predictions_total", "-", ["rating"], **at)
        self.far_out = Counter("livraria_prediction_inputs_far_out_total", "-", ["feature"], **at)
        self.drift = Gauge("livraria_prediction_drift_psi", "-", ["feature"], **at)
        for feature in ("preco_com_taxa", "preco_sem_taxa", "disponibilidade"):
            self.far_out.labels(feature)
            self.drift.labels(feature)
        self.predictions.labels("5").inc(12)
        for status, count in {"pending": 30, "shipped": 10, "payment_denied": 10}.items():
            self.orders.labels(status).set(count)
        for book in range(5):
            self.inventory.labels(str(book)).set(book)
        self.some_traffic()

    def some_traffic(self, requests: int = 40) -> None:
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
