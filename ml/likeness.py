"""Books that are alike by their words, and whether that says anything. Imports scikit-learn: for the training only.

The likeness of two books is the cosine of their TF-IDF vectors. It is worth something where books that are alike
share a category more often than books paired by chance, which is tested by dealing the categories anew.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.feature_extraction.text import TfidfTransformer

from ml.candidates import SEED
from ml.text_model import MAX_NEIGHBOURS, MAX_REASONS, UNSPECIFIED, Neighbours
from ml.texts import ALPHA, Texts

FLOOR: Final = 0.08
"""Least similarity of books that are called alike: below it, one pair in six of the real shop shares a category."""
PLACES: Final = 5
"""The first places, whose share of the book's own category is measured."""
SHUFFLES: Final = 200
MAX_PRODUCTS: Final = 2_000_000_000
"""Multiplications that all comparisons may take, some ten seconds; the commonest words are left out beyond it."""
_PAIRS_AT_ONCE: Final = 4_000_000

Positions = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How often the first PLACES of a book share its category, beside what chance gives."""

    share: float
    chance: float
    p_value: float
    books: int
    with_neighbours: int

    @property
    def promoted(self) -> bool:
        return self.p_value < ALPHA


def find_neighbours(texts: Texts) -> Neighbours:
    """Return for each book the MAX_NEIGHBOURS others most alike, of those above the FLOOR, and the words they share."""
    count = len(texts.ids)
    found = Neighbours(
        np.full((count, MAX_NEIGHBOURS), -1, np.int32),
        np.zeros((count, MAX_NEIGHBOURS), np.float32),
        np.full((count, MAX_NEIGHBOURS, MAX_REASONS), -1, np.int32),
    )
    if not texts.words:
        return found
    vectors = TfidfTransformer(sublinear_tf=True).fit_transform(texts.counts).tocsr()
    compared = vectors[:, _affordable(vectors)]
    others = compared.T.tocsr()
    at_once = max(1, _PAIRS_AT_ONCE // max(1, count))
    for first in range(0, count, at_once):
        block = (compared[first : first + at_once] @ others).tocsr()
        for row, book in enumerate(range(first, first + block.shape[0])):
            places = slice(block.indptr[row], block.indptr[row + 1])
            positions, similarities = _most_alike(block.indices[places], block.data[places], book)
            found.ids[book, : len(positions)] = texts.ids[positions]
            found.similarities[book, : len(positions)] = similarities
            _fill_reasons(found.words[book], vectors, book, positions)
    return found


def assess(texts: Texts, neighbours: Neighbours) -> Likeness:
    """Compare the categories of books that are alike with categories dealt at random."""
    names = {name: number for number, name in enumerate(sorted({*texts.categories}.difference(UNSPECIFIED)))}
    codes = np.array([names.get(name, -1) for name in texts.categories], dtype=np.int32)
    known = np.flatnonzero(codes >= 0)
    first = neighbours.ids[:, :PLACES]
    books, places = np.nonzero(first >= 0)
    alike = np.searchsorted(texts.ids, first[books, places])
    both = (codes[books] >= 0) & (codes[alike] >= 0)
    books, alike = books[both], alike[both]
    with_neighbours = int((neighbours.ids[:, 0] >= 0).sum())
    if not len(books):
        return Likeness(0.0, 0.0, 1.0, len(known), with_neighbours)
    share = float((codes[books] == codes[alike]).mean())
    random = np.random.default_rng(SEED)
    dealt, shares = codes.copy(), np.empty(SHUFFLES)
    for number in range(SHUFFLES):
        dealt[known] = random.permutation(codes[known])
        shares[number] = (dealt[books] == dealt[alike]).mean()
    chance, spread = float(shares.mean()), float(shares.std(ddof=1))
    p_value = float(stats.norm.sf((share - chance) / spread)) if spread > 0 else 1.0
    return Likeness(share, chance, p_value, len(known), with_neighbours)


def _affordable(vectors: Any) -> NDArray[np.intp]:
    """Return the words, the rarest first, whose comparisons stay under MAX_PRODUCTS: a word of n books takes n²."""
    books = np.bincount(vectors.indices, minlength=vectors.shape[1]).astype(np.int64)
    rarest = np.argsort(books, kind="stable")
    return np.sort(rarest[np.cumsum(books[rarest] ** 2) <= MAX_PRODUCTS])


def _most_alike(positions: Positions, similarities: Any, book: int) -> tuple[Positions, Any]:
    alike = (similarities >= FLOOR) & (positions != book)
    positions, similarities = positions[alike], similarities[alike]
    best = np.lexsort((positions, -similarities))[:MAX_NEIGHBOURS]
    return positions[best], np.minimum(similarities[best], 1)


def _fill_reasons(words: Positions, vectors: Any, book: int, positions: Positions) -> None:
    """Write for each of `positions` the words that contribute most to its likeness to `book`."""
    weights = np.zeros(vectors.shape[1], np.float32)
    own = slice(vectors.indptr[book], vectors.indptr[book + 1])
    weights[vectors.indices[own]] = vectors.data[own]
    for place, position in enumerate(positions):
        other = slice(vectors.indptr[position], vectors.indptr[position + 1])
        indices = vectors.indices[other]
        shares = vectors.data[other] * weights[indices]
        best = np.lexsort((indices, -shares))[:MAX_REASONS]
        best = best[shares[best] > 0]
        words[place, : len(best)] = indices[best]
