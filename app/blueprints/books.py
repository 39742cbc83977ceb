"""`/api/v1/books` and `/api/v1/categories`: the published catalogue."""

from decimal import Decimal
from typing import Any

import pandas as pd
from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.core.catalogue import sort_books
from app.web import pagination
from app.web.access import Access
from app.web.context import catalogue
from app.web.endpoint import operation
from app.web.presenters.catalogue import (
    BOOK_DETAIL,
    LISTED_BOOK,
    PRICED_BOOK,
    RATED_BOOK,
    present_book,
    present_books,
)
from app.web.schemas.catalogue import (
    BookDetail,
    ListedBook,
    PricedBook,
    PriceRangeQuery,
    RatedBook,
    SearchQuery,
)
from app.web.versions import DependsOn

books = Blueprint("books", __name__, url_prefix="/api/v1")


@books.get("/books")
@operation(
    "Lista os livros",
    description="Sem parâmetros, o catálogo inteiro; com `page` ou `per_page`, uma página dele.",
    access=Access.PUBLIC,
    query=pagination.SortedPageQuery(),
    ok="Os livros",
    response=ListedBook(many=True),
    response_headers=pagination.HEADERS,
    versioned=DependsOn.STOCKS,
)
def list_books(query: dict[str, Any]) -> ResponseReturnValue:
    books = catalogue().books(query["sort"], descending=query["order"] == "desc")
    return _page(books, query, LISTED_BOOK)


@books.get("/books/<int:book_idx>")
@operation(
    "Detalha um livro",
    access=Access.PUBLIC,
    ok="O livro",
    response=BookDetail(),
    errors=(404,),
    versioned=DependsOn.BOOK,
)
def show_book(book_idx: int) -> ResponseReturnValue:
    return present_book(catalogue().book(book_idx))


@books.get("/books/search")
@operation(
    "Busca por título e categoria",
    description=(
        "Trecho literal, sem diferenciar maiúsculas nem acentos; com os dois parâmetros, ambos devem casar. "
        "Se nenhum título contém o trecho inteiro, cada palavra deve estar no título ou na categoria."
    ),
    access=Access.PUBLIC,
    query=SearchQuery(),
    ok="Os livros achados",
    response=BookDetail(many=True),
    response_headers=pagination.HEADERS,
    versioned=DependsOn.STOCKS,
)
def search_books(query: dict[str, Any]) -> ResponseReturnValue:
    matches = catalogue().search(query["titulo"], query["categoria"])
    ordered = sort_books(matches, query["sort"], descending=query["order"] == "desc")
    return _page(ordered, query, BOOK_DETAIL)


@books.get("/books/price-range")
@operation(
    "Filtra por faixa de preço",
    description="Os dois limites entram na faixa, que vale para o preço com taxa.",
    access=Access.PUBLIC,
    query=PriceRangeQuery(),
    ok="Os livros na faixa",
    response=PricedBook(many=True),
    versioned=DependsOn.CATALOGUE,
)
def list_books_in_price_range(query: dict[str, Decimal]) -> ResponseReturnValue:
    return present_books(catalogue().in_price_range(query["min"], query["max"]), PRICED_BOOK)


@books.get("/books/top-rated")
@operation(
    "Lista os mais bem avaliados",
    description="Todos os livros com a maior avaliação presente.",
    access=Access.PUBLIC,
    ok="Os livros",
    response=RatedBook(many=True),
    versioned=DependsOn.CATALOGUE,
)
def list_top_rated_books() -> ResponseReturnValue:
    return present_books(catalogue().top_rated(), RATED_BOOK)


@books.get("/categories")
@operation(
    "Lista as categorias",
    description="Na ordem em que aparecem no catálogo.",
    access=Access.PUBLIC,
    ok="Os nomes",
    response={"type": "array", "items": {"type": "string"}},
    versioned=DependsOn.CATALOGUE,
)
def list_categories() -> ResponseReturnValue:
    return catalogue().categories()


def _page(frame: pd.DataFrame, query: dict[str, Any], keys: tuple[str, ...]) -> ResponseReturnValue:
    first, end = pagination.page_bounds(query, len(frame))
    return present_books(frame.iloc[first:end], keys), pagination.page_headers(query, len(frame))
