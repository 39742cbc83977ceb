"""Words of books: titles and descriptions, as a matrix of counts. Imports scikit-learn: for the training only.

One file has a book a line, an object of JSON with the keys of TEXT_KEYS.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer, strip_accents_unicode

from ml.text_model import MAX_WORDS

TEXT_KEYS: Final = {"id": int, "titulo": str, "categoria": str, "descricao": str}
ALPHA: Final = 0.0001
"""Stricter than for ratings: of daily publications with nothing to learn, one in 27 years shows something by chance."""
TITLE_WEIGHT: Final = 3
"""A word of the title counts as often: a title is short, and says what the book is about."""
MAX_CHARACTERS: Final = 5_000
"""A longer description is cut, so that no book takes the memory of many."""
MAX_SHARE: Final = 0.2
"""A word of more than one book in five says nothing about any, in whatever language; it needs no list of them."""
_WORD: Final = re.compile(r"([^\W\d_]{3,40})(?:['’](\w+))?")
_POSSESSIVE: Final = "s"


@dataclass(frozen=True, slots=True)
class Texts:
    """The books of a catalogue by position: ids in ascending order, categories, and how often each of `words` occurs.

    `words` are written as they are most often; case and accents don't distinguish two of them.
    """

    ids: NDArray[np.int32]
    categories: list[str]
    counts: Any
    words: list[str]


def read_texts(path: Path) -> Texts:
    """Read a file of books. Raises OSError or BadTexts."""
    with path.open(encoding="utf-8") as lines:
        return count_words(_checked(lines))


def count_words(books: Iterable[dict[str, Any]]) -> Texts:
    """Count the words of `books`, which are read once and not kept. Raises ValueError where there are none."""
    ids: list[int] = []
    categories: list[str] = []
    forms: Counter[str] = Counter()

    def words_of(book: dict[str, Any]) -> list[str]:
        ids.append(book["id"])
        categories.append(book["categoria"])
        title, description = [*_words(book["titulo"])], [*_words(book["descricao"][:MAX_CHARACTERS])]
        forms.update(title + description)
        folded = map(_fold, title * TITLE_WEIGHT + description)
        return [word for word in folded if word not in ENGLISH_STOP_WORDS]

    vectorizer = CountVectorizer(analyzer=words_of, min_df=1, dtype=np.float32)
    try:
        counts = vectorizer.fit_transform(books)
        vocabulary = vectorizer.get_feature_names_out()
    except ValueError:  # no word at all
        counts, vocabulary = sparse.csr_matrix((len(ids), 0), dtype=np.float32), np.array([], dtype=object)
    kept = _telling_words(counts)
    order = np.argsort(np.array(ids, dtype=np.int32), kind="stable")
    return Texts(
        np.array(ids, dtype=np.int32)[order],
        [categories[position] for position in order],
        counts[order][:, kept].tocsr(),
        _as_written(vocabulary[kept].tolist(), forms),
    )


def _telling_words(counts: Any) -> NDArray[np.intp]:
    """Return the words that two books or more have, but not too many of them; the commonest MAX_WORDS of these."""
    books = np.bincount(counts.indices, minlength=counts.shape[1])
    telling = np.flatnonzero((books >= 2) & (books <= max(2, MAX_SHARE * counts.shape[0])))
    commonest = telling[np.argsort(-books[telling], kind="stable")][:MAX_WORDS]
    return np.sort(commonest)


def _words(text: str) -> Iterator[str]:
    """Yield words of letters, "reader" for "reader's"; contractions such as "didn't" say nothing."""
    for word, suffix in _WORD.findall(text):
        if suffix.lower() in ("", _POSSESSIVE):
            yield word


def _fold(word: str) -> str:
    folded: str = strip_accents_unicode(word.lower())
    return folded


def _as_written(words: list[str], forms: Counter[str]) -> list[str]:
    """Return for each folded word its commonest form."""
    best: dict[str, str] = {}
    for form, _ in sorted(forms.items(), key=lambda item: (-item[1], item[0].swapcase())):
        best.setdefault(_fold(form), form)
    return [best[word] for word in words]


def _checked(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            book = json.loads(line)
        except ValueError:
            book = None
        if not isinstance(book, dict):
            raise BadTexts(f"linha {number}: deve ser um objeto JSON")
        for key, kind in TEXT_KEYS.items():
            if type(book.get(key)) is not kind:
                raise BadTexts(f"linha {number}, {key}: falta ou não serve")
        yield book


class BadTexts(Exception):
    """A line is not a book's; the sentence names it."""
