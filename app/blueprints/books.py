"""`/api/v1/books` and `/api/v1/categories`: the published catalogue."""

from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from app.core.catalogue import Positions
from app.core.facets import count_facets
from app.core.near_search import LETTERS_PER_SLIP, MAX_NEAR
from app.web import pagination
from app.web.access import Access
from app.web.context import catalogue, shop
from app.web.endpoint import operation
from app.web.past import PastQuery
from app.web.presenters.catalogue import (
    BookKeys,
    present_book,
    present_books,
    present_facets,
    present_similar_books,
)
from app.web.rows import Rows
from app.web.schemas.catalogue import (
    BookDetail,
    BooksQuery,
    Facets,
    FoundBook,
    ListedBook,
    PricedBook,
    PriceRangeQuery,
    RatedBook,
    SearchQuery,
    SearchTerms,
    SimilarBook,
    SimilarQuery,
    TopRatedQuery,
)
from app.web.versions import DependsOn
from ml.verdict import VERDICT_HEADERS

SEARCH_MODE = "X-Search-Mode"
books = Blueprint("books", __name__, url_prefix="/api/v1")


@books.get("/books")
@operation(
    "Lista os livros",
    description=(
        f"Sem parâmetros, o catálogo inteiro; com `page` ou `per_page`, uma página dele. {pagination.UNPAGED_TABLES}"
    ),
    access=Access.PUBLIC,
    query=BooksQuery(),
    ok="Os livros",
    response=ListedBook(many=True),
    table="livros",
    response_headers=pagination.HEADERS,
    links={"get_api_v1_books_intbook_idx": {"book_idx": "$response.body#/0/id"}},
    versioned=DependsOn.STOCKS,
)
def list_books(query: dict[str, Any]) -> Rows:
    books = catalogue().order(query["sort"], descending=query["order"] == "desc")
    return _page(books, query, BookKeys.LISTED)


@books.get("/books/<int:book_idx>")
@operation(
    "Detalha um livro",
    description=(
        "O que há nas listas, e a descrição, o UPC e a página do livro na loja de origem. `categoria_sugerida`, com a "
        "sua certeza, só vem de um livro sem categoria própria (Default, Add a comment) e de um modelo que tem certeza."
    ),
    access=Access.PUBLIC,
    query=PastQuery(),
    ok="O livro",
    response=BookDetail(),
    errors=(404,),
    versioned=DependsOn.BOOK,
)
def show_book(book_idx: int) -> ResponseReturnValue:
    text = shop().texts.of(book_idx, catalogue())
    return _json(present_book(catalogue(), book_idx, text))


@books.get("/books/<int:book_idx>/similar")
@operation(
    "Livros parecidos",
    description=(
        "Os mais parecidos primeiro, pelas palavras de título e descrição, com as que mais pesam como motivo. "
        "Vazio onde nada se parece; também antes do primeiro treino e onde a semelhança não diz nada sobre a "
        "categoria além do acaso: `X-Model-Verdict` diz por quê, como nas predições. Um livro publicado depois do "
        "treino ganha parecidos no treino seguinte."
    ),
    access=Access.PUBLIC,
    query=SimilarQuery(),
    ok="Os livros parecidos",
    response=SimilarBook(many=True),
    response_headers=VERDICT_HEADERS,
    errors=(404,),
    versioned=DependsOn.ALIKE,
)
def list_similar_books(book_idx: int, query: dict[str, Any]) -> ResponseReturnValue:
    similar = catalogue().similar(book_idx, query["limit"], in_stock_first=query["disponiveis"] == "1")
    texts = catalogue().texts
    version = catalogue().publication.model_version if texts.served else 0
    headers = {"X-Model-Version": str(version), "X-Model-Verdict": texts.verdict.value}
    return _json(present_similar_books(catalogue(), similar)), headers


@books.get("/books/search")
@operation(
    "Busca por título e categoria",
    description=(
        "Trecho literal, sem diferenciar maiúsculas nem acentos; com os dois parâmetros, ambos devem casar. "
        "Se nenhum título contém o trecho inteiro, cada palavra deve estar no título ou na categoria. "
        "`title` e `category`, do enunciado, são outros nomes de `titulo` e `categoria`. "
        f"Se nada casa, vêm os livros próximos, cada um com `aproximado: true`: até {MAX_NEAR} com um título que "
        f"difere do texto por deslizes de digitação, no máximo um a cada {LETTERS_PER_SLIP} letras; uma categoria "
        "que não existe vale como a de nome mais próximo. "
        f"{pagination.UNPAGED_TABLES}"
    ),
    access=Access.PUBLIC,
    query=SearchQuery(),
    ok="Os livros achados",
    response=FoundBook(many=True),
    table="busca",
    response_headers=(*pagination.HEADERS, SEARCH_MODE),
    versioned=DependsOn.STOCKS,
)
def search_books(query: dict[str, Any]) -> Rows:
    found, near = _search(query)
    if not near or "sort" in query or "order" in query:
        by_id = np.sort(found) if near else found
        found = catalogue().sort(by_id, query.get("sort", "id"), descending=query.get("order") == "desc")
    page = _page(found, query, BookKeys.NEAR if near else BookKeys.FOUND)
    return replace(page, headers={**page.headers, **_search_mode(near=near)})


@books.get("/books/facets")
@operation(
    "Conta os livros de uma busca",
    description=(
        "Por categoria, avaliação e faixa de preço, os livros que a busca com os mesmos parâmetros acha, inclusive "
        "os aproximados. As faixas são as mesmas para toda busca no mesmo catálogo."
    ),
    access=Access.PUBLIC,
    query=SearchTerms(),
    ok="As contagens",
    response=Facets(),
    response_headers=(SEARCH_MODE,),
    versioned=DependsOn.CATALOGUE,
)
def count_found_books(query: dict[str, Any]) -> ResponseReturnValue:
    found, near = _search(query)
    return present_facets(count_facets(catalogue().base, found)), _search_mode(near=near)


@books.get("/books/price-range")
@operation(
    "Filtra por faixa de preço",
    description=f"Os dois limites entram na faixa, que vale para o preço com taxa. {pagination.UNPAGED}",
    access=Access.PUBLIC,
    query=PriceRangeQuery(),
    ok="Os livros na faixa",
    response=PricedBook(many=True),
    response_headers=pagination.HEADERS,
    versioned=DependsOn.CATALOGUE,
)
def list_books_in_price_range(query: dict[str, Any]) -> Rows:
    low: Decimal = query["min"]
    high: Decimal = query["max"]
    return _page(catalogue().base.in_price_range(low, high), query, BookKeys.PRICED)


@books.get("/books/top-rated")
@operation(
    "Lista os mais bem avaliados",
    description=f"Todos os livros com a maior avaliação presente. {pagination.UNPAGED}",
    access=Access.PUBLIC,
    query=TopRatedQuery(),
    ok="Os livros",
    response=RatedBook(many=True),
    response_headers=pagination.HEADERS,
    versioned=DependsOn.CATALOGUE,
)
def list_top_rated_books(query: dict[str, Any]) -> Rows:
    return _page(catalogue().base.top_rated, query, BookKeys.RATED)


@books.get("/categories")
@operation(
    "Lista as categorias",
    description="Na ordem em que aparecem no catálogo.",
    access=Access.PUBLIC,
    query=PastQuery(),
    ok="Os nomes",
    response={"type": "array", "items": {"type": "string"}},
    versioned=DependsOn.CATALOGUE,
)
def list_categories() -> ResponseReturnValue:
    return catalogue().categories()


def _search(query: dict[str, Any]) -> tuple[Positions, bool]:
    """Return what a search finds, and whether it is only near to what was asked, best first."""
    base = catalogue().base
    found = base.search(query["titulo"], query["categoria"])
    if len(found) or query["exato"] == "1":
        return found, False
    near = base.search_near(query["titulo"], query["categoria"])
    return near, len(near) > 0


def _search_mode(*, near: bool) -> dict[str, str]:
    return {SEARCH_MODE: "aproximada" if near else "exata"}


def _page(books: Positions, query: dict[str, Any], keys: BookKeys) -> Rows:
    first, end = pagination.page_bounds(query, len(books))
    page = books[first:end]
    parts = partial(present_books, catalogue(), page, keys)
    return Rows(len(page), parts, pagination.page_headers(query, len(books)))


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")
