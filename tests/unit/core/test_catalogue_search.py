from __future__ import annotations

import pytest

from app.core.catalogue import Catalogue, fold
from tests.support.books import make_book, make_catalogue

TITLES = [
    ("Ação e Reação", "Ficção"),  # 0
    ("Die große Straße", "Travel"),  # 1
    ("What? (50% off) [a+b] .*", "Fiction"),  # 2
    ("Behind Closed Doors", "Thriller"),  # 3
    ("Doors of Perception", "Science Fiction"),  # 4
    ("The Thriller Closed Case", "Mystery"),  # 5
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue(
        *(make_book(place, title=title, category=category) for place, (title, category) in enumerate(TITLES))
    )


def found(catalogue: Catalogue, title: str = "", category: str = "") -> list[int]:
    ids: list[int] = catalogue.search(title, category)["id"].tolist()
    return ids


@pytest.mark.parametrize(
    ("title", "ids"),
    [
        ("ação", [0]),
        ("ACAO", [0]),
        ("acao E reacao", [0]),
        ("Ac\u0327a\u0303o", [0]),  # the same letters, decomposed
        ("STRASSE", [1]),
        ("straße", [1]),
        ("grosse", [1]),
        ("  closed  ", [3, 5]),
        ("osed D", [3]),
        ("nowhere at all", []),
    ],
)
def test_a_title_is_found_by_any_part_blind_to_case_and_accents(
    catalogue: Catalogue, title: str, ids: list[int]
) -> None:
    assert found(catalogue, title) == ids


@pytest.mark.parametrize("title", ["?", "(50% off)", "[a+b]", ".*", "a+b"])
def test_characters_of_patterns_mean_themselves(catalogue: Catalogue, title: str) -> None:
    assert found(catalogue, title) == [2]


@pytest.mark.parametrize("title", ["o.s", "^B", "Do+rs", "%", "_", "\\"])
def test_patterns_match_nothing_by_themselves(catalogue: Catalogue, title: str) -> None:
    assert found(catalogue, title) == ([2] if title == "%" else [])


def test_nothing_asked_finds_everything(catalogue: Catalogue) -> None:
    assert found(catalogue) == found(catalogue, "  ", " ") == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("category", "ids"),
    [
        ("Fiction", [2]),  # not "Science Fiction"
        ("fiction", [2]),
        ("ficcao", [0]),
        ("Science", [4]),
        ("Fict", [2, 4]),
        ("rill", [3]),
        ("none", []),
    ],
)
def test_an_exact_category_is_preferred_to_those_that_hold_the_name(
    catalogue: Catalogue, category: str, ids: list[int]
) -> None:
    assert found(catalogue, category=category) == ids


def test_both_title_and_category_must_match(catalogue: Catalogue) -> None:
    assert found(catalogue, "doors") == [3, 4]
    assert found(catalogue, "doors", "thriller") == [3]
    assert found(catalogue, "doors", "travel") == []


def test_the_seeds_own_call_finds_its_book(catalogue: Catalogue) -> None:
    assert found(catalogue, "Behind Closed Doors Thriller", "Thriller") == [3]


def test_words_are_looked_for_in_title_and_category_where_no_title_holds_them_together(
    catalogue: Catalogue,
) -> None:
    assert found(catalogue, "thriller closed doors") == [3]
    assert found(catalogue, "closed case mystery") == [5]
    assert found(catalogue, "doors AÇÃO") == []


def test_a_title_that_is_found_somewhere_is_not_looked_for_by_words(catalogue: Catalogue) -> None:
    # "Thriller Closed" is in book 5's title, so book 3, which has both words, is not meant.
    assert found(catalogue, "thriller closed") == [5]
    assert found(catalogue, "thriller closed", "Thriller") == []


@pytest.mark.parametrize(("text", "same"), [("Ｆｕｌｌ", "full"), ("№ 5", "no 5"), ("Brand™", "brandtm")])
def test_compatible_characters_fold_to_plain_ones(text: str, same: str) -> None:
    assert fold(text) == fold(same)


@pytest.mark.parametrize(
    ("title", "typed"),
    [
        ("Sapiens: Noah’s Ark", "noah's ark"),
        ("The World‘s Most Precious", "world's most"),
        ("The “Quoted” One", '"quoted"'),
        ("Nineteen–Eighty—Four", "nineteen-eighty-four"),
        ("Łódź, Ångström, Søren, Đà Nẵng, Ħamrun, ısı", "lodz, angstrom, soren, da nang, hamrun, isi"),
        ("Œuvres of Æsop, Ðe Þorn", "oeuvres of aesop, de thorn"),
    ],
)
def test_a_title_is_found_with_the_keys_of_a_keyboard_and_with_its_own_characters(
    title: str, typed: str
) -> None:
    catalogue = make_catalogue(make_book(0, title=title), make_book(1))
    assert found(catalogue, typed) == found(catalogue, title) == found(catalogue, title.upper()) == [0]


def test_a_search_in_an_empty_catalogue_finds_nothing() -> None:
    empty = make_catalogue()
    assert found(empty) == found(empty, "a", "b") == []
