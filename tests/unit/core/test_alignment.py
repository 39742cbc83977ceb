from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.alignment import SLIP, costs

WORDS = st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=3).map(" ".join)


def plain_cost(text: str, other: str) -> int:
    """Say the same a cell at a time, with the rules of its costs in words."""
    other += "\0"

    def begin(place: int) -> int:
        return 0 if place == 0 else 1 if other[place - 1] in " \0" else 8

    def end(place: int) -> int:
        return 0 if other[place : place + 1] in ("", " ", "\0") else 2

    places = range(len(other) + 1)
    rows = [[begin(place) for place in places]]
    for number, char in enumerate(text):
        last = rows[-1]
        row: list[int] = []
        for place in places:
            ways = [last[place] + 8]
            if place:
                ways += [last[place - 1] + 8 * (other[place - 1] != char), row[-1] + 8]
            if place > 1 and number:
                ways.append(
                    rows[-2][place - 2]
                    + 8
                    + 8 * (other[place - 2] != char)
                    + 8 * (other[place - 1] != text[number - 1])
                )
            row.append(min(ways))
        if char == " ":
            elsewhere = min(last[place] + end(place) for place in places) + 4
            row = [min(cost, elsewhere + begin(place)) for place, cost in enumerate(row)]
        rows.append(row)
    return min(rows[-1][place] + end(place) for place in places)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=5))
def test_the_cost_of_a_text_is_the_plain_one_in_every_title(text: str, others: list[str]) -> None:
    assert costs(text, others).tolist() == [plain_cost(text, other) for other in others]


@pytest.mark.parametrize(
    ("text", "slips"),
    [
        ("garden", 0),
        ("gardan", 1),
        ("garen", 1),
        ("gardeon", 1),
        ("gadren", 1),
        ("the gadren", 1),
        ("gardn scret", 2),
    ],
)
def test_each_kind_of_slip_costs_the_same(text: str, slips: int) -> None:
    (cost,) = costs(text, ["the secret garden"])
    assert cost // SLIP == slips


def test_whole_words_at_the_beginning_cost_least() -> None:
    titles = ["garden of stone", "the garden", "gardens", "bodygarden"]
    found = costs("garden", titles).tolist()
    assert found[0] == 0
    assert found == sorted(set(found))
