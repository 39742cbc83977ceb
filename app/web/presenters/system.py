"""The shop itself."""

from __future__ import annotations

from app.core.runs import status_word
from app.services.health import Health
from app.web.presenters.common import Shape, present_time


def present_health(health: Health) -> Shape:
    publication = health.catalogue.publication
    return {
        "status": "healthy",
        "message": "A loja está no ar.",
        "origem": publication.origin,
        "fonte": publication.source_url,
        "livros": len(health.catalogue),
        "versao_catalogo": publication.version,
        "publicado_em": present_time(publication.published_at),
        "banco": "ok",
        "scraping": status_word(health.scrape),
    }
