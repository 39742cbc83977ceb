from __future__ import annotations

import inspect
import json
from itertools import chain, islice, repeat
from random import Random

from demo.traffic import actors
from demo.traffic.memory import Book, Memory
from demo.traffic.schedule import ACTORS, SCRAPER, schedule
from tests.demo.conftest import Visit
from tests.support.fake_shop import FEATURES, FakeShop


def first_calls(seed: int) -> list[tuple[str, str, object]]:
    books = (Book(0, "One", "Poetry", FEATURES), Book(1, "Two", "Travel", FEATURES))
    memory = Memory("key", "admin", "1234", books=books)
    calls: list[tuple[str, str, object]] = []
    for actor, rng in islice(schedule(ACTORS, seed), 300):
        call = actor.act(rng, memory)
        calls.append((actor.name, call.path, call.query or call.body))
    return calls


def test_a_seed_repeats_the_actors_and_what_they_ask_for() -> None:
    assert first_calls(7) == first_calls(7)
    assert first_calls(7) != first_calls(8)


def test_every_actor_is_in_the_cast_and_comes() -> None:
    functions = {
        name
        for name, function in inspect.getmembers(actors, inspect.isfunction)
        if function.__module__ == actors.__name__ and not name.startswith("_")
    }
    cast = {actor.name for actor in (*ACTORS, SCRAPER)}
    assert functions == cast
    assert {actor.name for actor, _ in islice(schedule((*ACTORS, SCRAPER), 1), 2_000)} == cast


def test_a_repeated_request_that_places_another_order_is_reported(api: FakeShop, visit: Visit) -> None:
    api.responses = iter([(201, {"order_id": "ORDER-1"}), (201, {"order_id": "ORDER-2"})])
    tally = visit(actors.buyer, actors.impatient_buyer)
    assert list(tally.unexpected) == ["impatient_buyer: POST a repeated request placed another order"]


def test_clerks_take_an_order_to_its_end(api: FakeShop, memory: Memory, visit: Visit) -> None:
    api.responses = chain([(201, {"order_id": "ORDER-1"})], repeat((200, {})))
    tally = visit(actors.buyer, *[actors.clerk] * 40)
    assert not tally.unexpected
    assert not memory.orders


def test_wrong_passwords_stay_below_the_throttle(memory: Memory) -> None:
    calls = [actors.intruder(Random(n), memory) for n in range(100)]
    assert [call.path for call in calls].count(actors.LOGIN) == 1


def test_analysts_ask_about_books_of_the_catalogue_and_seldom_about_others(memory: Memory) -> None:
    bodies = [json.loads(actors.analyst(Random(n), memory).body or "") for n in range(100)]
    rows = list(chain(*bodies))
    others = [row for row in rows if not row.items() >= FEATURES.items()]
    assert 0 < len(others) < len(rows) / 100, "so few change nothing in what the inputs look like"
    assert {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1} in others
    assert max(row["preco_com_taxa"] for row in others) > 1_000
    assert {"titulo" in row for row in rows} == {True, False}
    assert len(rows) > 2_000, "a shop reports drift once it has seen 200"


def test_a_prediction_that_is_missing_is_reported(api: FakeShop, visit: Visit) -> None:
    api.responses = repeat((200, []))
    assert list(visit(actors.analyst).unexpected) == ["analyst: POST 0 predictions for 40 books"]
