"""The shop's health and catalogue."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from dashboards.client.http_client import HttpClient, Query
from dashboards.client.parsing import parse_datetime, parse_number, parse_table

HEALTH = "/health"
OVERVIEW = "/api/v1/stats/overview"
CATEGORIES = "/api/v1/stats/categories"
BOOKS = "/api/v1/books"

_BOOK = {
    "id": int,
    "titulo": str,
    "categoria": str,
    "preco_com_taxa": float,
    "rating": int,
    "disponibilidade": int,
}
_CATEGORY = {
    "categoria": str,
    "quantidade_livros": int,
    "preco_medio_com_taxa": float,
    "preco_medio_sem_taxa": float,
}


@dataclass(frozen=True, slots=True)
class Health:
    is_demonstration: bool
    source_url: str
    books: int
    version: int
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    books: int
    mean_price: float | None
    by_rating: dict[int, int]


def fetch_health(client: HttpClient) -> Health:
    with client.parsing(HEALTH):
        body = client.get(HEALTH).json()
        return Health(
            is_demonstration=body["origem"] == "demonstracao",
            source_url=str(body["fonte"]),
            books=int(body["livros"]),
            version=int(body["versao_catalogo"]),
            published_at=parse_datetime(body["publicado_em"]),
        )


def fetch_overview(client: HttpClient) -> Overview:
    with client.parsing(OVERVIEW):
        body = client.get(OVERVIEW).json()
        return Overview(
            books=int(body["total_livros"]),
            mean_price=parse_number(body["preco_medio_com_taxa"]),
            by_rating={int(rating): int(count) for rating, count in body["distribuicao_ratings"].items()},
        )


def fetch_categories(client: HttpClient) -> pd.DataFrame:
    with client.parsing(CATEGORIES):
        return parse_table(client.get(CATEGORIES).json(), _CATEGORY)


def fetch_books(client: HttpClient, query: Query | None = None) -> pd.DataFrame:
    with client.parsing(BOOKS):
        return parse_table(client.get(BOOKS, query).json(), _BOOK)
