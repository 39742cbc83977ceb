from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml.texts import MAX_CHARACTERS, TITLE_WEIGHT, BadTexts, Texts, count_words, read_texts


def book(book_id: int, title: str = "", description: str = "", category: str = "Poetry") -> dict[str, Any]:
    return {"id": book_id, "titulo": title, "categoria": category, "descricao": description}


def counted(texts: Texts, position: int) -> dict[str, int]:
    row = texts.counts[position]
    return {texts.words[word]: int(count) for word, count in zip(row.indices, row.data, strict=True)}


def fillers(count: int) -> list[dict[str, Any]]:
    """Books that share no word with others, so that a word of two books is one of few."""
    return [book(100 + number, f"unique{chr(97 + number)}") for number in range(count)]


def test_a_word_is_that_of_two_books_in_any_case_and_accent_and_written_as_most_are() -> None:
    texts = count_words([book(0, "", "Café café CAFÉ café"), book(1, "", "cafe"), *fillers(10)])
    assert texts.words == ["café"]
    assert [counted(texts, position) for position in (0, 1)] == [{"café": 4}, {"café": 1}]


def test_a_word_of_the_title_counts_as_often_as_stated() -> None:
    texts = count_words([book(0, "dragon", "dragon"), book(1, "", "dragon"), *fillers(10)])
    assert counted(texts, 0) == {"dragon": TITLE_WEIGHT + 1}


def test_words_of_one_book_of_many_and_of_every_text_are_left_out() -> None:
    many = [book(number, "", "everywhere") for number in range(10)]
    texts = count_words(
        [*many, book(10, "", "rare the the"), book(11, "", "shared the"), book(12, "", "shared the")]
    )
    assert texts.words == ["shared"]


def test_possessives_are_their_owners_and_contractions_are_no_words() -> None:
    pair = [book(number, "", "The reader's, the readers’, he didn't, we’ll 1984") for number in (0, 1)]
    assert count_words([*pair, *fillers(10)]).words == ["reader", "readers"]


def test_a_long_description_is_cut() -> None:
    late = "x" * 30 + " " + "filler " * (MAX_CHARACTERS // 7) + "afterwards"
    texts = count_words([book(0, "", late), book(1, "", "afterwards filler"), *fillers(10)])
    assert texts.words == ["filler"]


def test_books_come_in_the_order_of_their_ids() -> None:
    texts = count_words([book(7, "seven", category="Travel"), book(2, "two"), *fillers(2)])
    assert texts.ids.tolist() == [2, 7, 100, 101]
    assert texts.categories[:2] == ["Poetry", "Travel"]


@pytest.mark.parametrize("books", [[], [book(0)], [book(0), book(1)], [book(0, "!?", "1 2 3")]])
def test_books_without_words_are_no_error(books: list[dict[str, Any]]) -> None:
    texts = count_words(books)
    assert (texts.words, len(texts.ids), texts.counts.shape) == ([], len(books), (len(books), 0))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "linha 2: deve ser um objeto JSON"),
        ("[1]", "linha 2: deve ser um objeto JSON"),
        ("{}", "linha 2, id: falta ou não serve"),
        (json.dumps({**book(1), "id": True}), "linha 2, id: falta ou não serve"),
        (json.dumps({**book(1), "descricao": None}), "linha 2, descricao: falta ou não serve"),
    ],
)
def test_a_line_that_is_no_book_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "textos.ndjson"
    path.write_text(f"{json.dumps(book(0))}\n{line}\n")
    with pytest.raises(BadTexts, match=complaint):
        read_texts(path)
