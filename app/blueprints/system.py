"""The entrance and the pulse of the shop."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.observability.metrics import CONTENT_TYPE
from app.services.scraping import shown_status
from app.web.access import Access
from app.web.context import catalogue, shop
from app.web.endpoint import operation
from app.web.error_handlers import problem
from app.web.presenters.catalogue import LISTED_BOOK, present_books, present_overview
from app.web.presenters.common import present_time
from app.web.schemas.system import Health, Welcome

system = Blueprint("system", __name__)
log = logging.getLogger(__name__)
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


@system.get("/")
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
    figures = catalogue().overview()
    page = render_template(
        "inicio.html",
        catalogue=catalogue(),
        overview=present_overview(figures),
        categories=len(catalogue().categories()),
        some=present_books(catalogue().books().head(6), LISTED_BOOK),
        development=not shop().settings.production,
        logs_public=shop().settings.logs_public,
    )
    return page, headers


@system.get("/metrics")
@operation(
    "Métricas para o Prometheus",
    access=Access.PUBLIC,
    ok="Texto do Prometheus",
    response={"type": "string"},
    media_type="text/plain",
)
def show_metrics() -> ResponseReturnValue:
    return Response(shop().metrics.render(), content_type=CONTENT_TYPE)


@system.get("/health")
@system.get("/api/v1/health")
@operation(
    "Saúde",
    access=Access.PUBLIC,
    ok="A loja responde e alcança o seu banco",
    response=Health(),
    errors=(503,),
)
def show_health() -> ResponseReturnValue:
    try:
        with shop().database.reading() as session:
            session.execute(text("SELECT 1"))
        run = shop().scrapes.latest()
    except SQLAlchemyError:
        log.exception("health_check_failed")
        return problem(503, "O banco de dados não responde.")
    publication = catalogue().publication
    return {
        "status": "healthy",
        "message": "A loja está no ar.",
        "origem": publication.origin,
        "fonte": publication.source_url,
        "livros": len(catalogue()),
        "versao_catalogo": publication.version,
        "publicado_em": present_time(publication.published_at),
        "banco": "ok",
        "scraping": shown_status(run),
    }
