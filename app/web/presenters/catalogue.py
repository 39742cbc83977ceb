"""Books and figures of the catalogue.

A list of books is joined from the JSON of each, which is made once a publication: only the stock is put in anew.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import Enum, auto
from threading import Lock
from weakref import WeakKeyDictionary

import orjson

from app.core.catalogue import Catalogue, CatalogueBase, CategorySummary, Overview, Positions
from app.web.presenters.common import Shape
from ml.text_model import Neighbour

_STOCK = b',"disponibilidade":'
_COMMON_STOCKS = tuple(b"%b%d}" % (_STOCK, copies) for copies in range(1_000))


class BookKeys(Enum):
    """The keys that a response shows of a book: each has those of the one before, and more."""

    PRICED = auto()
    RATED = auto()
    LISTED = auto()
    DETAIL = auto()


class _Fragments:
    """The JSON of each book of a publication without its stock and its end, made when first asked for.

    Threads share it without a lock: at worst, two make the same bytes.
    """

    def __init__(self, base: CatalogueBase) -> None:
        self._made: list[bytes | None] = [None] * len(base)

    def of(self, base: CatalogueBase, positions: Iterable[int]) -> list[bytes]:
        made = self._made
        return [made[position] or self._make(base, position) for position in positions]

    def _make(self, base: CatalogueBase, position: int) -> bytes:
        fragment = self._made[position] = orjson.dumps(_present_base(base, position))[:-1]
        return fragment


_fragments: WeakKeyDictionary[CatalogueBase, _Fragments] = WeakKeyDictionary()
"""Fragments by what they are made of, and gone with it; `_fragments_lock` protects it."""
_fragments_lock = Lock()


def present_books(catalogue: Catalogue, positions: Positions, keys: BookKeys) -> bytes:
    """Return the books at `positions` as a JSON array."""
    places: list[int] = positions.tolist()
    return b"[%b]" % b",".join(_present(catalogue, places, keys))


def present_book(catalogue: Catalogue, book_id: int) -> bytes:
    """Return the detail of a book as a JSON object. Raises BookNotFound."""
    (book,) = _present(catalogue, [catalogue.base.position(book_id)], BookKeys.DETAIL)
    suggestion = catalogue.suggested_category(book_id)
    if suggestion is None:
        return book
    shape = {"categoria": suggestion.category, "certeza": suggestion.certainty}
    return b'%b,"categoria_sugerida":%b}' % (book[:-1], orjson.dumps(shape))


def present_similar_books(catalogue: Catalogue, similar: Sequence[tuple[int, Neighbour]]) -> bytes:
    """Return books that are like another, with how much and by which words, as a JSON array."""
    books = _present(catalogue, [position for position, _ in similar], BookKeys.LISTED)
    ends = (
        orjson.dumps({"similaridade": alike.similarity, "motivos": alike.words})[1:] for _, alike in similar
    )
    return b"[%b]" % b",".join(b"%b,%b" % (book[:-1], end) for book, end in zip(books, ends, strict=True))


def present_listed_book(catalogue: Catalogue, position: int) -> Shape:
    (stock,) = catalogue.stocks_at([position])
    return _present_base(catalogue.base, position) | {"disponibilidade": stock}


def present_overview(figures: Overview) -> Shape:
    return {
        "total_livros": figures.books,
        "preco_medio_com_taxa": _amount(figures.mean_price_incl_tax),
        "preco_medio_sem_taxa": _amount(figures.mean_price_excl_tax),
        "distribuicao_ratings": {str(rating): count for rating, count in figures.by_rating.items()},
    }


def present_category_summary(summary: CategorySummary) -> Shape:
    return {
        "categoria": summary.category,
        "quantidade_livros": summary.books,
        "preco_medio_com_taxa": _amount(summary.mean_price_incl_tax),
        "preco_medio_sem_taxa": _amount(summary.mean_price_excl_tax),
    }


def _present(catalogue: Catalogue, places: Sequence[int], keys: BookKeys) -> list[bytes]:
    base = catalogue.base
    fragments = _fragments_of(base).of(base, places)
    match keys:
        case BookKeys.PRICED:
            # Inside a text the quotes would be escaped, so this is the key.
            return [b"%b}" % fragment.partition(b',"preco_sem_taxa":')[0] for fragment in fragments]
        case BookKeys.RATED:
            return [b"%b}" % fragment for fragment in fragments]
    ends = [_stock_end(copies) for copies in catalogue.stocks_at(places)]
    if keys is BookKeys.DETAIL:
        urls = base.columns.image_urls
        ends = [
            b'%b,"url_imagem":%b}' % (end[:-1], orjson.dumps(urls[place]))
            for end, place in zip(ends, places, strict=True)
        ]
    return [fragment + end for fragment, end in zip(fragments, ends, strict=True)]


def _present_base(base: CatalogueBase, position: int) -> Shape:
    """Return what a book shows of its publication, the keys of BookKeys.RATED."""
    columns = base.columns
    return {
        "id": columns.ids[position],
        "titulo": columns.titles[position],
        "categoria": base.category(position),
        # Dividing whole pence gives the float nearest to the price, which prints as its two decimals.
        "preco_com_taxa": columns.pence_incl_tax[position] / 100,
        "preco_sem_taxa": columns.pence_excl_tax[position] / 100,
        "rating": columns.ratings[position],
    }


def _stock_end(copies: int) -> bytes:
    return _COMMON_STOCKS[copies] if copies < len(_COMMON_STOCKS) else b"%b%d}" % (_STOCK, copies)


def _fragments_of(base: CatalogueBase) -> _Fragments:
    with _fragments_lock:
        fragments = _fragments.get(base)
        if fragments is None:
            fragments = _fragments[base] = _Fragments(base)
        return fragments


def _amount(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
