"""The entrance and the pulse of the shop."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from app.core.errors import Unavailable
from app.observability.metrics import CONTENT_TYPE
from app.services.health import check_health, reasons_not_to_serve
from app.web.access import Access
from app.web.context import catalogue, shop
from app.web.endpoint import operation
from app.web.presenters.catalogue import present_listed_book, present_overview
from app.web.presenters.system import present_health, present_pulse
from app.web.schemas.system import Health, Pulse, Welcome

system = Blueprint("system", __name__)
LINKS = {
    "documentacao": "/apidocs/",
    "openapi": "/apispec_1.json",
    "livros": "/api/v1/books",
    "categorias": "/api/v1/categories",
    "estatisticas": "/api/v1/stats/overview",
    "scraping": "/api/v1/scraping/status",
    "modelo": "/api/v1/ml/status",
    "logs": "/api/v1/logs",
    "metricas": "/metrics",
    "saude": "/health",
}


@system.get(
    "/", strict_slashes=False
)  # also an empty path, which would be redirected to whatever `Host` says
@operation(
    "Boas-vindas",
    description="Uma página para navegadores, JSON para os demais clientes.",
    access=Access.PUBLIC,
    ok="Os endereços principais",
    response=Welcome(),
)
def welcome() -> ResponseReturnValue:
    prefers_html = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    headers = {"Vary": "Accept"}
    if not prefers_html:
        return {
            "message": "Livraria: catálogo, pedidos, scraping e predições.",
            "links": LINKS,
        }, headers
    page = render_template(
        "inicio.html",
        catalogue=catalogue(),
        overview=present_overview(catalogue().overview()),
        categories=len(catalogue().categories()),
        some=[present_listed_book(catalogue(), place) for place in range(min(6, len(catalogue())))],
        development=not shop().settings.production,
        logs_public=shop().settings.logs_public,
    )
    return page, headers


@system.get("/metrics")
@operation(
    "Métricas para o Prometheus",
    description="Aberta, a menos que METRICS_TOKEN peça um token próprio.",
    access=Access.METRICS,
    ok="Texto do Prometheus",
    response={"type": "string"},
    media_type="text/plain",
)
def show_metrics() -> ResponseReturnValue:
    return Response(shop().metrics.render(), content_type=CONTENT_TYPE)


@system.get("/livez")
@operation(
    "Vida",
    description="Para quem reinicia processos: não consulta nada.",
    access=Access.PUBLIC,
    ok="O processo responde",
    response=Pulse(),
)
def show_life() -> ResponseReturnValue:
    return present_pulse("alive"), {"Cache-Control": "no-store"}


@system.get("/readyz")
@operation(
    "Prontidão",
    description="Para balanceadores: 503, com os motivos, enquanto o processo não deve receber requisições.",
    access=Access.PUBLIC,
    ok="O processo pode receber requisições",
    response=Pulse(),
)
def show_readiness() -> ResponseReturnValue:
    reasons = reasons_not_to_serve(
        shop().database, shop().settings.data_dir, shop().catalogue, shop().draining
    )
    if reasons:
        raise Unavailable(" ".join(reasons))
    return present_pulse("ready"), {"Cache-Control": "no-store"}


@system.get("/health")
@system.get("/api/v1/health")
@operation(
    "Saúde",
    access=Access.PUBLIC,
    ok="A loja responde e alcança o seu banco",
    response=Health(),
)
def show_health() -> ResponseReturnValue:
    status = check_health(shop().database, shop().settings.data_dir)
    return present_health(catalogue(), status)
