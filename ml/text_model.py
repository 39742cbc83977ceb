"""What a training found in the texts of the books, as plain data: books that are alike, and proposed categories.

The training writes arrays of numbers and a JSON header as an .npz file, which is read without pickle and without
scikit-learn, and only if its bytes have the digest that was recorded.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.artefact import ArtefactRefused, digest_of
from ml.verdict import Verdict

log = logging.getLogger(__name__)

FORMAT: Final = 1
"""Version of the contents of the file; other versions are trained anew rather than read."""
TEXTS_NAME: Final = "textos.npz"
"""The file that `python -m ml --textos` writes beside the two of the rating model."""
MAX_NEIGHBOURS: Final = 20
MAX_REASONS: Final = 3
MAX_WORDS: Final = 50_000
"""Largest vocabulary, so that the number of a word fits in 16 bits."""
UNSPECIFIED: Final = ("Default", "Add a comment")
"""Categories that say nothing: the names that books.toscrape.com shows where its owner entered none."""
_NONE: Final = -1
_NO_WORD: Final = 2**16 - 1
_HEADER: Final = "cabecalho"
_TYPES: Final = {
    "livros": np.int32,
    "vizinhos": np.int32,
    "semelhancas": np.float16,
    "motivos": np.uint16,
    "propostas": np.int32,
    "categorias": np.uint16,
    "certezas": np.float32,
}


class Neighbour(NamedTuple):
    """A book that is alike, by how much (0 to 1), and the words that the two share."""

    book_id: int
    similarity: float
    words: tuple[str, ...]


class Suggestion(NamedTuple):
    """A category for a book without one, and how often such proposals are right."""

    category: str
    certainty: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """For each book the ids of those alike, best first, their similarities, and shared words; unused places are -1."""

    ids: NDArray[np.int32]
    similarities: NDArray[np.float32]
    words: NDArray[np.int32]

    @classmethod
    def none(cls) -> Neighbours:
        return cls(
            np.empty((0, MAX_NEIGHBOURS), np.int32),
            np.empty((0, MAX_NEIGHBOURS), np.float32),
            np.empty((0, MAX_NEIGHBOURS, MAX_REASONS), np.int32),
        )


class TextModel:
    """What one training found in the texts. Immutable, so that any number of threads read it without a lock.

    `verdict` is that of the likeness, `problem` why there is nothing to serve, where that is an error.
    """

    def __init__(
        self,
        verdict: Verdict,
        arrays: Mapping[str, NDArray[Any]] | None = None,
        words: Sequence[str] = (),
        categories: Sequence[str] = (),
        problem: str | None = None,
    ) -> None:
        self.verdict = verdict
        self.problem = problem
        self._words = tuple(words)
        empty = Neighbours.none()
        self._books = arrays["livros"] if arrays else np.empty(0, np.int32)
        self._ids = arrays["vizinhos"] if arrays else empty.ids
        self._similarities = arrays["semelhancas"] if arrays else empty.similarities
        self._reasons = arrays["motivos"] if arrays else empty.words
        self._suggestions: dict[int, Suggestion] = {}
        if arrays:
            columns = (arrays[name].tolist() for name in ("propostas", "categorias", "certezas"))
            for book_id, category, certainty in zip(*columns, strict=True):
                self._suggestions[book_id] = Suggestion(categories[category], round(certainty, 2))

    @property
    def served(self) -> bool:
        """Whether a training has looked for likeness, found or not."""
        return self.verdict in (Verdict.BEATS_BASELINE, Verdict.BASELINE)

    def neighbours(self, book_id: int) -> list[Neighbour]:
        """Return the books that are like a book, best first; none for a book that is newer than the training."""
        place = int(np.searchsorted(self._books, book_id))
        if place == len(self._books) or self._books[place] != book_id:
            return []
        rows = zip(
            self._ids[place].tolist(),
            self._similarities[place].tolist(),
            self._reasons[place].tolist(),
            strict=True,
        )
        return [
            Neighbour(
                other, round(similarity, 3), tuple(self._words[word] for word in words if word != _NO_WORD)
            )
            for other, similarity, words in rows
            if other != _NONE
        ]

    def suggestion(self, book_id: int, category: str) -> Suggestion | None:
        """Return the category that is proposed for a book, whose own `category` may have been entered meanwhile."""
        return self._suggestions.get(book_id) if category in UNSPECIFIED else None


NO_TEXT_MODEL: Final = TextModel(Verdict.UNTRAINED)


def dump(
    verdict: Verdict,
    books: NDArray[np.int32],
    neighbours: Neighbours,
    words: Sequence[str],
    suggestions: Mapping[int, Suggestion],
) -> bytes:
    """Serialise what a training found; the same findings give the same bytes. Only words that are reasons are kept."""
    used, numbers = np.unique(neighbours.words, return_inverse=True)
    named = used >= 0
    places = np.where(named, np.cumsum(named) - 1, _NO_WORD)
    categories = sorted({suggestion.category for suggestion in suggestions.values()})
    header = {
        "formato": FORMAT,
        "semelhanca": verdict.value,
        "palavras": [words[number] for number in used[named].tolist()],
        "nomes": categories,
    }
    arrays = {
        "livros": books if len(neighbours.ids) else books[:0],
        "vizinhos": neighbours.ids,
        "semelhancas": neighbours.similarities,
        "motivos": places[numbers].reshape(neighbours.words.shape),
        "propostas": list(suggestions),
        "categorias": [categories.index(suggestion.category) for suggestion in suggestions.values()],
        "certezas": [suggestion.certainty for suggestion in suggestions.values()],
    }
    typed: dict[str, Any] = {name: np.asarray(arrays[name], dtype=kind) for name, kind in _TYPES.items()}
    typed[_HEADER] = np.frombuffer(json.dumps(header, ensure_ascii=False).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **typed)
    return buffer.getvalue()


def load(content: bytes, digest: str) -> TextModel:
    """Return the findings in `content`, with the recorded `digest`. Raises ArtefactRefused, whatever is wrong."""
    if digest_of(content) != digest:
        raise ArtefactRefused("As semelhanças não são as que o treino gravou: seu SHA-256 é outro.")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            header = json.loads(file[_HEADER].tobytes())
            if header["formato"] != FORMAT:
                raise ArtefactRefused("As semelhanças foram treinadas por outra versão da loja.")
            arrays = {name: file[name] for name in _TYPES}
        _check(arrays, header)
        return TextModel(Verdict(header["semelhanca"]), arrays, header["palavras"], header["nomes"])
    except ArtefactRefused:
        raise
    except Exception as error:  # whatever a file holds, the shop goes on
        log.exception("text_model_not_read")
        raise ArtefactRefused("As semelhanças não puderam ser lidas.") from error


def _check(arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Raise ValueError for arrays that a lookup could fail on."""
    books, words = len(arrays["livros"]), len(header["palavras"])
    reasons = arrays["motivos"]
    if (
        any(arrays[name].dtype != kind for name, kind in _TYPES.items())
        or arrays["vizinhos"].shape != (books, MAX_NEIGHBOURS)
        or arrays["semelhancas"].shape != (books, MAX_NEIGHBOURS)
        or reasons.shape != (books, MAX_NEIGHBOURS, MAX_REASONS)
        or np.any((reasons >= words) & (reasons != _NO_WORD))
        or np.any(np.diff(arrays["livros"]) <= 0)
        or not all(isinstance(name, str) for name in (*header["palavras"], *header["nomes"]))
        or np.any(arrays["categorias"] >= len(header["nomes"]))
    ):
        raise ValueError("the arrays do not fit together")
