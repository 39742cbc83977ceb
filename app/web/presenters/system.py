"""The shop itself."""

from app.core.catalogue import Catalogue
from app.web.presenters.common import Shape, present_time


def present_pulse(status: str) -> Shape:
    return {"status": status}


def present_health(catalogue: Catalogue, scrape_status: str) -> Shape:
    publication = catalogue.publication
    return {
        "status": "healthy",
        "message": "A loja está no ar.",
        "origem": publication.origin,
        "fonte": publication.source_url,
        "livros": len(catalogue),
        "versao_catalogo": publication.version,
        "publicado_em": present_time(publication.published_at),
        "banco": "ok",
        "scraping": scrape_status,
    }
