"""What past publications left of a book, and what they changed."""

from datetime import datetime

import pandas as pd

from dashboards.client.http_client import HttpClient, HttpStatusError, Query
from dashboards.client.parsing import parse_rows, parse_table

SEARCH = "/api/v1/books/search"
CHANGES = "/api/v1/changes"
MAX_FOUND = 20

_BOOK = {"id": int, "titulo": str}
_OBSERVATION = {
    "versao": int,
    "observado_em": datetime,
    "preco_com_taxa": float,
    "disponibilidade": int,
    "listado": bool,
}
_CHANGE = {
    "versao": int,
    "observado_em": datetime,
    "id": int,
    "titulo": str,
    "categoria": str,
    "tipo": str,
}


def find_books(client: HttpClient, text: str) -> dict[int, str]:
    """Return the titles of up to MAX_FOUND books on sale, by id."""
    with client.parsing(SEARCH):
        found = client.get(SEARCH, {"titulo": text, "per_page": MAX_FOUND}).json()
        books = parse_table(found, _BOOK)
        return dict(zip(books["id"].tolist(), books["titulo"].tolist(), strict=True))


def fetch_history(client: HttpClient, book_id: int) -> pd.DataFrame | None:
    """Return the observations of a book, oldest first; None for an id that was never given."""
    path = f"/api/v1/books/{book_id}/history"
    try:
        response = client.get(path)
    except HttpStatusError as error:
        if error.status == 404:
            return None
        raise
    with client.parsing(path):
        return parse_table(response.json(), _OBSERVATION)


def fetch_changes(client: HttpClient, query: Query) -> tuple[pd.DataFrame, bool]:
    """Return the matching changes, newest first, and whether there are older ones.

    The values before and after are as the API has them: numbers, None, or an edit's texts by their names.
    """
    response = client.get(CHANGES, query)
    with client.parsing(CHANGES):
        rows = parse_rows(response.json())
        changes = parse_table(rows, _CHANGE)
        for side in ("antes", "depois"):
            changes[side] = pd.Series([row[side] for row in rows], index=changes.index, dtype=object)
        return changes, response.has_next_page
