"""A hand-written API on loopback: what each path answers is a dictionary that a test may change."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

Reply = tuple[int, str]
BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
HEALTH = {
    "status": "healthy",
    "message": "A loja está no ar.",
    "origem": "demonstracao",
    "fonte": "https://livraria-demo.invalid/",
    "livros": 1234,
    "versao_catalogo": 7,
    "publicado_em": "2026-11-22T14:03:07.000Z",
    "banco": "ok",
    "scraping": "processing",
}
PROGRESS = {
    "status": "processing",
    "execucao": 3,
    "motivo": None,
    "iniciada_em": "2026-11-22T14:00:00.000Z",
    "terminada_em": None,
    "paginas_feitas": 420,
    "paginas_total": 1050,
    "paginas_com_falha": 2,
    "percentual": 40.0,
    "livros_lidos": 399,
    "paginas_por_segundo": 110.5,
    "termino_estimado": "2026-11-22T14:05:00.000Z",
}
RUN = {
    "id": 2,
    "status": "done",
    "motivo": None,
    "iniciada_por": "admin",
    "cancelada_por": None,
    "iniciada_em": "2026-11-21T14:00:00.000Z",
    "terminada_em": "2026-11-21T14:00:08.400Z",
    "duracao_s": 8.4,
    "url_base": "http://localhost:8898/",
    "retomada_de": None,
    "paginas_feitas": 1050,
    "paginas_total": 1050,
    "paginas_com_falha": 0,
    "paginas_reaproveitadas": 0,
    "livros_lidos": 1000,
    "versao_publicada": 7,
    "contagem": {"adicionados": 3, "removidos": 1, "reprecificados": 12, "reestocados": 0, "editados": 0},
}
BOOKS = [
    {
        "id": number,
        "titulo": f"Livro {number}",
        "categoria": ("Poetry", "Travel", "Fiction")[number % 3],
        "preco_com_taxa": 10.0 + number,
        "preco_sem_taxa": 10.0 + number,
        "rating": number % 5 + 1,
        "disponibilidade": number % 23,
    }
    for number in range(60)
]
CATEGORIES = [
    {"categoria": name, "quantidade_livros": 20, "preco_medio_com_taxa": 39.5, "preco_medio_sem_taxa": 39.5}
    for name in ("Fiction", "Poetry", "Travel")
]
OVERVIEW = {
    "total_livros": 1234,
    "preco_medio_com_taxa": 35.07,
    "preco_medio_sem_taxa": 35.07,
    "distribuicao_ratings": {"1": 226, "2": 196, "3": 203, "4": 179, "5": 430},
}


def log_record(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-11-22T14:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "level": "INFO",
        "event": "request",
        "request_id": f"req-{number}",
        "method": "GET",
        "route": "/api/v1/books/<int:book_idx>",
        "path": f"/api/v1/books/{number}",
        "status": 200,
        "duration_ms": 10.0 + number,
        "remote_addr": "127.0.0.1",
        "user_id": None,
        "bytes": 180,
        **changes,
    }


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


class FakeApi:
    """Serves `replies` until the context ends; `asked` keeps the queries of each path."""

    def __init__(self) -> None:
        self.metrics = ShopMetrics()
        self.replies: dict[str, Reply] = {
            "/health": self.as_json(HEALTH),
            "/api/v1/scraping/status": self.as_json(PROGRESS),
            "/api/v1/scraping/runs": self.as_json([RUN]),
            "/api/v1/stats/overview": self.as_json(OVERVIEW),
            "/api/v1/stats/categories": self.as_json(CATEGORIES),
            "/api/v1/books": self.as_json(BOOKS),
            "/api/v1/logs": self.as_json([log_record(number) for number in range(30)]),
        }
        self.asked: dict[str, list[dict[str, str]]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @staticmethod
    def as_json(value: Any, status: int = 200) -> Reply:
        return status, json.dumps(value)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reply(self, path: str, query: dict[str, str]) -> Reply:
        self.asked.setdefault(path, []).append(query)
        if path in self.replies:
            return self.replies[path]
        if path == "/metrics":
            return 200, self.metrics.text()
        return self.as_json({"detail": "O endereço pedido não existe."}, 404)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(url.query).items()}
                status, text = fake.reply(url.path, query)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        return Handler
