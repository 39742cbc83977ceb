"""Books and figures of the catalogue.

A list of books is joined from the JSON of each, which is made once a publication: only the stock is put in anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import Enum, auto
from threading import Lock
from weakref import WeakKeyDictionary

import orjson

from app.core.catalogue import Catalogue, CatalogueBase, CategorySummary, Overview, Positions
from app.core.facets import Facets
from app.core.history import BookText
from app.web.presenters.common import Shape
from app.web.rows import in_parts
from ml.text_model import Neighbour

_STOCK = b',"disponibilidade":'
_NEAR_END = b',"aproximado":true}'
_COMMON_STOCKS = tuple(b"%b%d}" % (_STOCK, copies) for copies in range(1_000))


class BookKeys(Enum):
    """The keys that a response shows of a book: each has those of the one before, and more."""

    PRICED = auto()
    RATED = auto()
    LISTED = auto()
    FOUND = auto()
    NEAR = auto()


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


def present_books(catalogue: Catalogue, positions: Positions, keys: BookKeys) -> Iterator[list[bytes]]:
    """Yield the books at `positions` as JSON objects, in parts."""
    for places in in_parts(positions):
        yield _present(catalogue, places, keys)


def present_training_rows(catalogue: Catalogue, positions: Positions) -> Iterator[list[bytes]]:
    """Yield what `Catalogue.training_rows` has of the books at `positions` as JSON objects, in parts."""
    for places in in_parts(positions):
        fragments = _fragments_of(catalogue.base).of(catalogue.base, places)
        yield list(map(_training_row, fragments, catalogue.stocks_at(places)))


def present_book(catalogue: Catalogue, book_id: int, text: BookText) -> bytes:
    """Return the detail of a book as a JSON object. Raises BookNotFound."""
    (book,) = _present(catalogue, [catalogue.base.position(book_id)], BookKeys.FOUND)
    more: Shape = {"descricao": text.description, "upc": text.upc, "url_produto": text.source_url}
    suggestion = catalogue.suggested_category(book_id)
    if suggestion is not None:
        more["categoria_sugerida"] = {"categoria": suggestion.category, "certeza": suggestion.certainty}
    return b"%b,%b" % (book[:-1], orjson.dumps(more)[1:])


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


def present_facets(facets: Facets) -> Shape:
    return {
        "categorias": [{"nome": name, "livros": books} for name, books in facets.categories],
        "ratings": {str(rating): books for rating, books in facets.by_rating.items()},
        "faixas_de_preco": [
            {"min": band.low / 100, "max": band.high / 100, "livros": band.books} for band in facets.bands
        ],
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
    if keys in (BookKeys.FOUND, BookKeys.NEAR):
        urls, last = base.columns.image_urls, _NEAR_END if keys is BookKeys.NEAR else b"}"
        ends = [
            b'%b,"url_imagem":%b%b' % (end[:-1], orjson.dumps(urls[place]), last)
            for end, place in zip(ends, places, strict=True)
        ]
    return [fragment + end for fragment, end in zip(fragments, ends, strict=True)]


def _training_row(fragment: bytes, copies: int) -> bytes:
    # Inside a text the quotes would be escaped, so these are the keys.
    texts, _, numbers = fragment.partition(b',"preco_com_taxa":')
    title, _, category = texts.partition(b',"titulo":')[2].partition(b',"categoria":')
    return b'{"categoria":%b,"disponibilidade":%d,"preco_com_taxa":%b,"titulo":%b}' % (
        category, copies, numbers, title,
    )  # fmt: skip


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
