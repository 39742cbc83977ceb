"""A hand-written API on loopback, with a dictionary of responses that tests may change."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.dashboards.fake_metrics import ShopMetrics

UNREACHABLE_URL = "http://127.0.0.1:9"
"""The discard port, where nothing listens."""
Response = tuple[int, str]
"""Status and body."""
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
    "contagem": None,
}
RUN: dict[str, Any] = {
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
SCHEDULE: dict[str, Any] = {
    "agenda": "0 3 * * *",
    "fuso": "America/Sao_Paulo",
    "jitter_s": 300,
    "ativa": True,
    "proxima_execucao": "2999-11-23T06:02:10.000Z",
    "ultima_execucao": "2026-11-22T06:01:07.000Z",
    "origem": "operador",
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
FACETS = {
    "categorias": [{"nome": "Poetry", "livros": 1}, {"nome": "Travel", "livros": 1}],
    "ratings": {"1": 1, "2": 1, "3": 0, "4": 0, "5": 0},
    "faixas_de_preco": [{"min": 10, "max": 14.99, "livros": 2}, {"min": 15, "max": 19.99, "livros": 0}],
}
OVERVIEW = {
    "total_livros": 1234,
    "preco_medio_com_taxa": 35.07,
    "preco_medio_sem_taxa": 35.07,
    "distribuicao_ratings": {"1": 226, "2": 196, "3": 203, "4": 179, "5": 430},
}


CARD = {
    "versao": 4,
    "em_uso": True,
    "treinado_em": "2026-11-22T14:03:30.000Z",
    "duracao_s": 14.2,
    "versao_catalogo": 7,
    "veredito": "linha-de-base",
    "frase": "Nenhum candidato supera responder sempre a avaliação mais comum (22,6% de acerto).",
    "acuracia": 0.226,
    "linha_de_base": {"rating": 5, "acuracia": 0.226, "desvio": 0.002},
    "candidatos": [
        {
            "nome": name,
            "conjunto": feature_set,
            "acuracia": accuracy,
            "desvio": 0.02,
            "ganho": accuracy - 0.226,
            "valor_p": 0.5,
            "promovido": False,
        }
        for feature_set in ("basico", "ampliado")
        for name, accuracy in (("regressao_logistica", 0.21), ("floresta_aleatoria", 0.195))
    ],
    "escolhidos": {"basico": None, "ampliado": None},
    "dados": {"linhas": 1000, "sha256": "00", "classes": {"1": 226, "2": 196, "3": 203, "4": 179, "5": 196}},
    "bibliotecas": {"python": "3.11", "scikit-learn": "1.9.1"},
    "servindo": "linha-de-base",
    "problema": None,
}
TEXTS: dict[str, Any] = {
    "semelhanca": {
        "veredito": "supera-a-linha-de-base",
        "frase": "Dos 5 primeiros livros parecidos, 34,8% são da mesma categoria.",
        "mesma_categoria": 0.348,
        "acaso": 0.056,
        "lugares": 5,
        "com_semelhantes": 964,
    },
    "categorias_sugeridas": {
        "veredito": "supera-a-linha-de-base",
        "frase": "O Bayes ingênuo complementar acertou 47,2%.",
        "linha_de_base": {"categoria": "Nonfiction", "acuracia": 0.141, "desvio": 0.0},
        "candidatos": [
            {
                "nome": name,
                "acuracia": accuracy,
                "desvio": 0.03,
                "acuracia_em_palpites": 0.694,
                "promovido": True,
            }
            for name, accuracy in (("bayes_complementar", 0.472), ("svm_linear", 0.47))
        ],
        "escolhido": "bayes_complementar",
        "palpites": 3,
        "precisao_esperada": 0.917,
        "cobertura_esperada": 0.103,
        "sem_categoria": 219,
        "propostas": 10,
    },
    "problema_textos": None,
}
"""The part of a card about texts, which `CARD`, of an older release, lacks."""
TRAINING = {
    "status": "done",
    "versao": 4,
    "motivo": None,
    "iniciado_em": "2026-11-22T14:03:15.000Z",
    "terminado_em": "2026-11-22T14:03:30.000Z",
    "versao_catalogo": 7,
}
PREDICTION: dict[str, Any] = {
    "input": {},
    "prediction": 5,
    "detalhes": {
        "probabilidades": {"1": 0.1, "2": 0.2, "3": 0.2, "4": 0.1, "5": 0.4},
        "conjunto": None,
        "fora_da_distribuicao": ["preco_com_taxa"],
    },
}
CHANGE: dict[str, Any] = {
    "versao": 7,
    "observado_em": "2026-11-22T14:03:07.000Z",
    "id": 3,
    "titulo": "Livro 3",
    "categoria": "Poetry",
    "tipo": "preco",
    "antes": 51.77,
    "depois": 1049.9,
}
OBSERVATIONS: list[dict[str, Any]] = [
    {
        "versao": version,
        "observado_em": f"2026-11-{day}T14:03:07.000Z",
        "preco_com_taxa": price,
        "preco_sem_taxa": price,
        "disponibilidade": copies,
        "listado": listed,
    }
    for version, day, price, copies, listed in (
        (2, 10, 51.77, 22, True),
        (4, 12, 49.0, 22, True),
        (5, 14, 49.0, 22, False),
        (6, 18, 53.74, 3, True),
    )
]


def log_record(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-11-22T14:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "levelname": "INFO",
        "name": "app.requests",
        "message": "request",
        "remote_addr": "127.0.0.1",
        "method": "GET",
        "route": "/api/v1/books/<int:book_idx>",
        "path": f"/api/v1/books/{number}",
        "status": 200,
        "duration": (10.0 + number) / 1_000,
        "user": None,
        "request_id": f"req-{number}",
        "bytes": 180,
        **changes,
    }


class FakeApi:
    """Serves `responses` by path until the context ends, and records each path's queries and bodies.

    Paths in `tokens` need one of the access tokens named there; all others are open.
    """

    def __init__(self) -> None:
        self.metrics = ShopMetrics()
        self.responses: dict[str, Response] = {
            "/health": self.as_json(HEALTH),
            "/api/v1/scraping/status": self.as_json(PROGRESS),
            "/api/v1/scraping/runs": self.as_json([RUN]),
            "/api/v1/scraping/schedule": self.as_json(SCHEDULE),
            "/api/v1/stats/overview": self.as_json(OVERVIEW),
            "/api/v1/stats/categories": self.as_json(CATEGORIES),
            "/api/v1/books": self.as_json(BOOKS),
            "/api/v1/books/search": self.as_json(BOOKS[:2]),
            "/api/v1/books/3/history": self.as_json(OBSERVATIONS),
            "/api/v1/books/0/history": self.as_json(OBSERVATIONS),
            "/api/v1/changes": self.as_json([CHANGE]),
            "/api/v1/books/facets": self.as_json(FACETS),
            "/api/v1/ml/model": self.as_json(CARD),
            "/api/v1/ml/status": self.as_json(TRAINING),
            "/api/v1/ml/predictions": self.as_json([PREDICTION]),
            "/api/v1/logs": self.as_json([log_record(number) for number in range(30)]),
        }
        self.queries: dict[str, list[dict[str, str]]] = {}
        self.bodies: dict[str, list[Any]] = {}
        self.tokens: dict[str, set[str]] = {}
        self.verdict = "linha-de-base"
        self.search_mode = "exata"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @staticmethod
    def as_json(value: Any, status: int = 200) -> Response:
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

    def respond(self, path: str, query: dict[str, str], token: str) -> Response:
        self.queries.setdefault(path, []).append(query)
        if path in self.tokens and token not in self.tokens[path]:
            return self.as_json({"detail": "Faça login para continuar."}, 401)
        if path in self.responses:
            return self.responses[path]
        if path == "/metrics":
            return 200, self.metrics.text()
        return self.as_json({"detail": "O endereço pedido não existe."}, 404)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(url.query).items()}
                if length := int(self.headers.get("Content-Length") or 0):
                    fake.bodies.setdefault(url.path, []).append(json.loads(self.rfile.read(length)))
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, text = fake.respond(url.path, query, token)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Model-Version", "4")
                self.send_header("X-Model-Verdict", fake.verdict)
                self.send_header("X-Total-Count", str(body.count(b'"id"')))
                self.send_header("X-Search-Mode", fake.search_mode)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                pass

        return Handler
