from __future__ import annotations

import gc
import weakref
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
import pytest

from app.core.catalogue import Book, Catalogue, Positions
from app.core.errors import BookNotFound
from app.core.history import BookText
from app.web.formats import Format
from app.web.presenters.catalogue import BookKeys, present_book, present_books, present_listed_book
from app.web.rows import Rows
from tests.support.books import PUBLICATION, make_book, make_catalogue

TEXTS = [
    "A Light in the Attic",
    'Quotes "and" \\ backslashes',
    '","preco_sem_taxa":1,"x":"',
    "Ação – “Olá” 😀 \u2028",
    "control \x01\x1f\x7f\n\t",
    "",
]
PRICES = ["0.00", "0.01", "0.29", "10.00", "10.10", "34.39", "51.77", "99999999.99"]
TEXT = BookText("", "", 1, "", "d “\n\u2028", 'u"', "https://shop.invalid/é")
STOCKS = [0, 1, 22, 999, 1_000, 2_147_483_647]


def plain(book: Book) -> dict[str, Any]:
    return {
        "id": book.id,
        "titulo": book.title,
        "categoria": book.category,
        "preco_com_taxa": float(book.price_incl_tax),
        "preco_sem_taxa": float(book.price_excl_tax),
        "rating": book.rating,
        "disponibilidade": book.stock,
        "url_imagem": book.image_url,
    }


def array(catalogue: Catalogue, positions: Positions, keys: BookKeys) -> bytes:
    return b"".join(Rows(0, partial(present_books, catalogue, positions, keys)).body(Format.JSON))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    made = [(text, price, stock) for text in TEXTS for price in PRICES for stock in STOCKS]
    return make_catalogue(
        *(
            make_book(
                3 * number,
                title=text,
                category=text[::-1],
                price_incl_tax=Decimal(price),
                price_excl_tax=Decimal(PRICES[number % len(PRICES)]),
                stock=stock,
                rating=1 + number % 5,
                image_url=f"https://i.invalid/{text}",
            )
            for number, (text, price, stock) in enumerate(made)
        )
    )


@pytest.mark.parametrize(("keys", "count"), list(zip(BookKeys, (4, 6, 7, 8, 9), strict=True)))
def test_a_list_of_books_is_what_serializing_their_objects_gives(
    catalogue: Catalogue, keys: BookKeys, count: int
) -> None:
    positions = catalogue.order("preco_sem_taxa", descending=True)
    books = [catalogue.book(catalogue.base.columns.ids[position]) for position in positions]
    shown = [{**plain(book), "aproximado": True} for book in books]
    expected = orjson.dumps([dict(list(book.items())[:count]) for book in shown])
    assert array(catalogue, positions, keys) == expected
    assert array(catalogue, positions, keys) == expected  # from the fragments
    assert array(catalogue, positions[:0], keys) == b"[]"


def test_a_detail_is_what_serializing_its_object_gives(catalogue: Catalogue) -> None:
    for book_id in catalogue.base.columns.ids:
        detail = plain(catalogue.book(book_id)) | {
            "descricao": TEXT.description,
            "upc": TEXT.upc,
            "url_produto": TEXT.source_url,
        }
        assert present_book(catalogue, book_id, TEXT) == orjson.dumps(detail)
    with pytest.raises(BookNotFound):
        present_book(catalogue, 1, TEXT)


def test_a_listed_book_is_an_object_of_the_list(catalogue: Catalogue) -> None:
    listed = orjson.loads(array(catalogue, catalogue.order(), BookKeys.LISTED))
    assert [present_listed_book(catalogue, position) for position in range(len(catalogue))] == listed


def test_a_sale_shows_in_what_is_presented_next_and_in_nothing_before(catalogue: Catalogue) -> None:
    before = array(catalogue, catalogue.order(), BookKeys.LISTED)
    sold = catalogue.with_stocks({3: 7}, PUBLICATION)
    assert orjson.loads(present_book(sold, 3, TEXT))["disponibilidade"] == 7
    assert orjson.loads(array(sold, sold.order(), BookKeys.LISTED))[1]["disponibilidade"] == 7
    assert array(catalogue, catalogue.order(), BookKeys.LISTED) == before


def test_the_bytes_of_a_publication_go_with_it() -> None:
    catalogue = make_catalogue(make_book(0))
    present_book(catalogue, 0, TEXT)
    base = weakref.ref(catalogue.base)
    del catalogue
    gc.collect()
    assert base() is None
