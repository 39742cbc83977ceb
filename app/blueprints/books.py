"""`/api/v1/books` and `/api/v1/categories`: the published catalogue."""

from decimal import Decimal
from typing import Any

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from app.core.catalogue import Positions
from app.web import pagination
from app.web.access import Access
from app.web.context import catalogue
from app.web.endpoint import operation
from app.web.presenters.catalogue import BookKeys, present_book, present_books, present_similar_books
from app.web.schemas.catalogue import (
    BookDetail,
    ListedBook,
    PricedBook,
    PriceRangeQuery,
    RatedBook,
    SearchQuery,
    SimilarBook,
    SimilarQuery,
)
from app.web.versions import DependsOn
from ml.verdict import VERDICT_HEADERS

books = Blueprint("books", __name__, url_prefix="/api/v1")


@books.get("/books")
@operation(
    "Lista os livros",
    description=(
        f"Sem parâmetros, o catálogo inteiro; com `page` ou `per_page`, uma página dele. {pagination.UNPAGED}"
    ),
    access=Access.PUBLIC,
    query=pagination.SortedPageQuery(),
    ok="Os livros",
    response=ListedBook(many=True),
    response_headers=pagination.HEADERS,
    links={"get_api_v1_books_intbook_idx": {"book_idx": "$response.body#/0/id"}},
    versioned=DependsOn.STOCKS,
)
def list_books(query: dict[str, Any]) -> ResponseReturnValue:
    books = catalogue().order(query["sort"], descending=query["order"] == "desc")
    return _page(books, query, BookKeys.LISTED)


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
    return _json(present_book(catalogue(), book_idx))


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
        f"{pagination.UNPAGED}"
    ),
    access=Access.PUBLIC,
    query=SearchQuery(),
    ok="Os livros achados",
    response=BookDetail(many=True),
    response_headers=pagination.HEADERS,
    versioned=DependsOn.STOCKS,
)
def search_books(query: dict[str, Any]) -> ResponseReturnValue:
    found = catalogue().base.search(query["titulo"], query["categoria"])
    ordered = catalogue().sort(found, query["sort"], descending=query["order"] == "desc")
    return _page(ordered, query, BookKeys.DETAIL)


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
def list_books_in_price_range(query: dict[str, Any]) -> ResponseReturnValue:
    low: Decimal = query["min"]
    high: Decimal = query["max"]
    return _page(catalogue().base.in_price_range(low, high), query, BookKeys.PRICED)


@books.get("/books/top-rated")
@operation(
    "Lista os mais bem avaliados",
    description=f"Todos os livros com a maior avaliação presente. {pagination.UNPAGED}",
    access=Access.PUBLIC,
    query=pagination.PageQuery(),
    ok="Os livros",
    response=RatedBook(many=True),
    response_headers=pagination.HEADERS,
    versioned=DependsOn.CATALOGUE,
)
def list_top_rated_books(query: dict[str, Any]) -> ResponseReturnValue:
    return _page(catalogue().base.top_rated, query, BookKeys.RATED)


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


def _page(books: Positions, query: dict[str, Any], keys: BookKeys) -> ResponseReturnValue:
    first, end = pagination.page_bounds(query, len(books))
    page = present_books(catalogue(), books[first:end], keys)
    return _json(page), pagination.page_headers(query, len(books))


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")
