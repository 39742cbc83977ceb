from __future__ import annotations

import random
from collections.abc import Sequence
from string import ascii_lowercase

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.core import near_search
from app.core.alignment import SLIP, costs
from app.core.catalogue import Catalogue, fold
from app.core.near_search import LETTERS_PER_SLIP, MAX_NEAR
from app.start import DEMONSTRATION_CSV
from scraper.csv_file import read_books
from tests.support.books import make_book, make_catalogue
from tests.support.slips import FIRST_WORDS, make_slips
from tests.unit.core.test_alignment import plain_cost

SHELF = [
    ("The Secret Garden", "Childrens"),  # 0
    ("In the Garden of Beasts: Love, Terror", "History"),  # 1
    ("Behind Closed Doors", "Thriller"),  # 2
    ("Doors of Perception", "Science Fiction"),  # 3
    ("Rat Queens, Vol. 3: Demons", "Sequential Art"),  # 4
    ("Don’t Know Why", "Fiction"),  # 5
    ("Frankenstein", "Science Fiction"),  # 6
    ("Cell", "Horror"),  # 7
    ("Ação e Reação", "Fiction"),  # 8
]


def make_shelf(*books: tuple[str, str]) -> Catalogue:
    return make_catalogue(
        *(make_book(place, title=title, category=category) for place, (title, category) in enumerate(books))
    )


@pytest.fixture(scope="module")
def shelf() -> Catalogue:
    return make_shelf(*SHELF)


@pytest.fixture(scope="module")
def demonstration() -> Catalogue:
    return make_shelf(*((book.title, book.category) for book in read_books(DEMONSTRATION_CSV)))


def near(catalogue: Catalogue, title: str = "", category: str = "") -> list[int]:
    found: list[int] = catalogue.base.search_near(title, category).tolist()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gadren", [0, 1]),
        ("Secrit Gardan", [0]),
        ("secretgarden", [0]),
        ("beh indclosed", [2]),
        ("Closed Behnd", [2]),
        ("Behind Closd Doors Thriller", [2]),
        ("rat queens vol 3 demoms", [4]),
        ("dont know wy", [5]),
        ("frankestein", [6]),
        ("clel", [7]),
        ("reaçao acoa", [8]),
    ],
)
def test_a_slip_is_forgiven(shelf: Catalogue, text: str, expected: list[int]) -> None:
    assert not len(shelf.base.search(text, ""))
    assert near(shelf, text) == expected


@pytest.mark.parametrize(
    "text", ["", "  ", "xyz", "?!", "gxrdxn", "qqqqqqqq", "the quick brown fox", "日本語の本棚", "😀" * 9]
)
def test_what_is_short_or_like_no_title_finds_nothing(shelf: Catalogue, text: str) -> None:
    assert near(shelf, text) == [] or text.strip() == ""


def test_near_titles_are_of_the_category_asked_for(shelf: Catalogue) -> None:
    assert near(shelf, "gadren", "History") == [1]
    assert near(shelf, "gadren", "Fiction") == []


def test_a_misspelt_category_is_read_as_the_nearest_one(shelf: Catalogue) -> None:
    assert near(shelf, category="Ficton") == [5, 8]  # not "Science Fiction", which is as near but longer
    assert near(shelf, category="cience ficton") == [3, 6]
    assert near(shelf, "doors", "Triller") == [2]  # found exactly there
    assert near(shelf, "dors", "Triller") == [2]
    assert near(shelf, "doors", "Cookery") == []


def test_a_text_is_compared_by_its_beginning(shelf: Catalogue) -> None:
    assert near(shelf, "the secret gardn" + " and" * 70) == []
    assert near(shelf, "x" * 100_000) == []


def test_a_title_much_farther_than_the_nearest_is_left_out() -> None:
    doors, roads = ("Behind Closed Doors", "Thriller"), ("Behind Closed Roads", "Travel")
    assert near(make_shelf(roads, doors), "behind closd doors") == [1]
    assert near(make_shelf(roads), "behind closd doors") == [0]


def test_an_empty_catalogue_has_nothing_near() -> None:
    empty = make_catalogue()
    assert near(empty, "garden") == near(empty, "", "fiction") == near(empty) == []


def test_the_nearest_of_many_equal_titles_are_the_first_ones() -> None:
    catalogue = make_shelf(*[("The Secret Garden", "Fiction")] * 40_000, ("The Secret Garde", "Fiction"))
    assert near(catalogue, "the secret gardxn") == list(range(MAX_NEAR))
    assert near(catalogue, "the sceret garde")[0] == 40_000


TITLES = st.lists(
    st.text("aegn dor", min_size=1, max_size=24) | st.sampled_from([title for title, _ in SHELF]), max_size=40
)


@settings(deadline=None)
@given(TITLES, st.text("aegn dor", max_size=20), st.sampled_from(["", "fiction", "Art", "fictoin"]))
def test_near_titles_are_few_different_in_the_category_and_within_the_slips_allowed(
    titles: list[str], text: str, category: str
) -> None:
    shelf = [(title, ("Fiction", "Art")[place % 2]) for place, title in enumerate(titles)]
    catalogue = make_shelf(*shelf)
    if len(catalogue.base.search(text, category)):
        return
    found = near(catalogue, text, category)
    assert found == near(make_shelf(*shelf), text, category)
    assert len(set(found)) == len(found)
    if category:
        assert {shelf[place][1] for place in found} <= {"Art" if category == "Art" else "Fiction"}
    if found and category != "fictoin":
        plain = " ".join(fold(text).split())
        letters = len(plain.replace(" ", ""))
        suffix = [f" {fold(shelf[place][1])}" * (" " in plain) for place in found]
        costs = [
            plain_cost(plain, " ".join(fold(titles[place]).replace("’", "").split()) + end)
            for place, end in zip(found, suffix, strict=True)
        ]
        assert len(found) <= MAX_NEAR
        assert costs == sorted(costs)
        assert costs[-1] <= min(costs[0] + SLIP, SLIP * letters // LETTERS_PER_SLIP + 1)


def test_of_1000_slips_in_the_demonstrations_titles_95_of_100_find_the_book_among_the_first_five(
    demonstration: Catalogue,
) -> None:
    titles = demonstration.base.columns.titles
    first_words = [" ".join(title.split()[:FIRST_WORDS]) for title in titles]
    found = 0
    slips = make_slips(titles, 1_000)
    for place, text in slips:
        exact = demonstration.base.search(text, "").tolist()
        first_five = (exact or near(demonstration, text))[:5]
        # Many of its titles begin with the same words, which then ask for all of them alike.
        found += first_words[place] in [first_words[other] for other in first_five]
    assert found >= 950


@pytest.mark.parametrize(("letters", "most"), [(4, 20), (6, 10), (8, 2), (12, 0), (40, 0)])
def test_random_letters_are_near_to_no_title(demonstration: Catalogue, letters: int, most: int) -> None:
    draw = random.Random(7)
    texts = ["".join(draw.choices(ascii_lowercase, k=letters)) for _ in range(1_000)]
    nonsense = [
        text for text in texts if not len(demonstration.base.search(text, "")) and near(demonstration, text)
    ]
    assert len(nonsense) <= most


def test_the_longest_category_costs_no_more_than_the_longest_title(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def measure(text: str, others: Sequence[str]) -> NDArray[np.int16]:
        compared.extend(others)
        return costs(text, others)

    monkeypatch.setattr(near_search, "costs", measure)
    far = make_shelf(("Dune " + "x" * 500, "\ufdfa" * 200))  # a letter that is eighteen without its ligature
    near(far, "Duen Dnue")
    assert 0 < max(map(len, compared)) <= 2 * near_search._MAX_CHARS + 1
