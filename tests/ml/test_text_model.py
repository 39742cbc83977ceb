from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from ml import text_model
from ml.artefact import ArtefactRefused, digest_of
from ml.text_model import (
    MAX_NEIGHBOURS,
    NO_TEXT_MODEL,
    Neighbour,
    Neighbours,
    Suggestion,
    TextModel,
    dump,
    load,
)
from ml.verdict import Verdict

WORDS = ["unused", "moon", "sea", "unused too"]


def make_content() -> bytes:
    """Three books: 3 is like 9 and 7, 7 is like 3, 9 is like none; 9 has no category."""
    found = Neighbours(
        np.full((3, MAX_NEIGHBOURS), -1, np.int32),
        np.zeros((3, MAX_NEIGHBOURS), np.float32),
        np.full((3, MAX_NEIGHBOURS, 3), -1, np.int32),
    )
    found.ids[0, :2], found.similarities[0, :2] = (9, 7), (1.0, 0.25)
    found.words[0, 0], found.words[0, 1, 0] = (2, 1, -1), 1
    found.ids[1, 0], found.similarities[1, 0], found.words[1, 0, 0] = 3, 0.25, 1
    suggestions = {9: Suggestion("Poetry", 0.9234)}
    return dump(Verdict.BEATS_BASELINE, np.array([3, 7, 9], np.int32), found, WORDS, suggestions)


def read(content: bytes) -> TextModel:
    return load(content, digest_of(content))


def changed(content: bytes, **changes: Any) -> bytes:
    """Return the file with other arrays, or another header."""
    with np.load(io.BytesIO(content)) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays["cabecalho"].tobytes())
    header |= {name: changes.pop(name) for name in list(changes) if name in header}
    arrays |= {"cabecalho": np.frombuffer(json.dumps(header).encode(), np.uint8), **changes}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_what_was_found_is_read_again() -> None:
    model = read(make_content())
    assert model.neighbours(3) == [Neighbour(9, 1.0, ("sea", "moon")), Neighbour(7, 0.25, ("moon",))]
    assert model.neighbours(7) == [Neighbour(3, 0.25, ("moon",))]
    assert (model.verdict, model.served, model.problem) == (Verdict.BEATS_BASELINE, True, None)


@pytest.mark.parametrize("book_id", [0, 5, 9, 10, 2**31 - 1])
def test_a_book_that_is_newer_or_like_no_other_has_no_neighbours(book_id: int) -> None:
    assert read(make_content()).neighbours(book_id) == []


def test_a_category_is_proposed_only_while_the_book_has_none() -> None:
    model = read(make_content())
    assert model.suggestion(9, "Default") == ("Poetry", 0.92)
    assert model.suggestion(9, "Fiction") is None
    assert model.suggestion(3, "Default") is None


def test_the_same_findings_give_the_same_bytes_and_only_the_words_in_use() -> None:
    assert make_content() == make_content()
    with np.load(io.BytesIO(make_content())) as file:
        assert json.loads(file["cabecalho"].tobytes())["palavras"] == ["moon", "sea"]


def test_a_model_without_texts_has_nothing_to_say() -> None:
    assert NO_TEXT_MODEL.neighbours(0) == []
    assert NO_TEXT_MODEL.suggestion(0, "Default") is None
    assert not NO_TEXT_MODEL.served


def test_another_file_than_the_recorded_one_is_refused() -> None:
    content = make_content()
    with pytest.raises(ArtefactRefused, match="SHA-256"):
        load(content[:-1], digest_of(content))


PICKLED = np.array([{"a": "dictionary"}], dtype=object)


@pytest.mark.parametrize(
    "changes",
    [
        {"formato": 2},
        {"semelhanca": "ótima"},
        {"palavras": ["moon"]},
        {"palavras": [1, 2]},
        {"nomes": []},
        {"livros": np.array([3, 9, 7], np.int32)},
        {"livros": np.array([3, 7], np.int32)},
        {"livros": np.array([3, 7, 9], np.int64)},
        {"vizinhos": np.zeros((3, 2), np.int32)},
        {"motivos": np.zeros((3, MAX_NEIGHBOURS), np.uint16)},
        {"propostas": np.zeros(2, np.int32)},
        {"semelhancas": PICKLED},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_file_whose_parts_do_not_fit_is_refused_and_no_pickle_is_read(changes: dict[str, Any]) -> None:
    with pytest.raises(ArtefactRefused):
        read(changed(make_content(), **changes))


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", make_content()[:200]])
def test_bytes_that_are_no_file_are_refused(content: bytes) -> None:
    with pytest.raises(ArtefactRefused, match="não puderam ser lidas"):
        read(content)


def test_the_number_of_a_word_fits_in_its_type() -> None:
    assert text_model.MAX_WORDS < 2**16 - 1
