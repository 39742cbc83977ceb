"""The shop's search and its facets."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dashboards.client.http_client import HttpClient
from dashboards.client.parsing import parse_rows, parse_table

SEARCH = "/api/v1/books/search"
FACETS = "/api/v1/books/facets"
MAX_FOUND = 20
_BOOK = {
    "titulo": str,
    "categoria": str,
    "preco_com_taxa": float,
    "rating": int,
    "disponibilidade": int,
}


@dataclass(frozen=True, slots=True)
class Found:
    """The first MAX_FOUND of `total` books; where they are `near`, none is exactly what was asked for."""

    books: pd.DataFrame
    total: int
    near: bool


@dataclass(frozen=True, slots=True)
class Facets:
    """Books by category, by rating, and by the lowest and highest price of a band."""

    categories: Mapping[str, int]
    ratings: Mapping[int, int]
    prices: Mapping[tuple[float, float], int]


def fetch_search(client: HttpClient, title: str) -> Found:
    with client.parsing(SEARCH):
        response = client.get(SEARCH, {"titulo": title, "page": 1, "per_page": MAX_FOUND})
        return Found(
            books=parse_table(response.json(), _BOOK),
            total=int(response.headers["X-Total-Count"]),
            near=response.headers["X-Search-Mode"] == "aproximada",
        )


def fetch_facets(client: HttpClient, title: str) -> Facets:
    with client.parsing(FACETS):
        body = client.get(FACETS, {"titulo": title}).json()
        bands = parse_rows(body["faixas_de_preco"])
        return Facets(
            categories={str(row["nome"]): int(row["livros"]) for row in parse_rows(body["categorias"])},
            ratings={int(rating): int(books) for rating, books in body["ratings"].items()},
            prices={(float(band["min"]), float(band["max"])): int(band["livros"]) for band in bands},
        )
