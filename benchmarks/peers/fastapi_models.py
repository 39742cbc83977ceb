"""What people would pick: FastAPI with pydantic response models, the instrumentator, and a log line a request."""

from fastapi import FastAPI, HTTPException
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel

from benchmarks.peers.common import BOOKS, Observed


class ListedBook(BaseModel):
    id: int
    titulo: str
    categoria: str
    preco_com_taxa: float
    preco_sem_taxa: float
    rating: int
    disponibilidade: int


class FoundBook(ListedBook):
    url_imagem: str


class Book(FoundBook):
    descricao: str
    upc: str
    url_produto: str


_FOUND = [FoundBook(**book) for book in BOOKS]
_LISTED = [ListedBook(**book) for book in BOOKS]
_BY_ID = {book["id"]: Book(**book) for book in BOOKS}
_TITLES = [book.titulo.casefold() for book in _FOUND]

application = FastAPI()


@application.get("/api/v1/books")
async def list_books() -> list[ListedBook]:
    return _LISTED


@application.get("/api/v1/books/search")
async def search(titulo: str) -> list[FoundBook]:
    text = titulo.casefold()
    return [book for book, title in zip(_FOUND, _TITLES, strict=True) if text in title]


@application.get("/api/v1/books/{book_id}")
async def show_book(book_id: int) -> Book:
    if book_id not in _BY_ID:
        raise HTTPException(404)
    return _BY_ID[book_id]


Instrumentator().instrument(application).expose(application)
application.add_middleware(Observed, counts=False)
