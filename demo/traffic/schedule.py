"""How often each actor comes, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from demo.traffic import actors
from demo.traffic.actors import Call
from demo.traffic.memory import Memory


class Actor(NamedTuple):
    act: Callable[[Random, Memory], Call]
    weight: float

    @property
    def name(self) -> str:
        return self.act.__name__


ACTORS = (
    Actor(actors.browser, 17),
    Actor(actors.reader, 17),
    Actor(actors.searcher, 9),
    Actor(actors.bargain_hunter, 4),
    Actor(actors.regular, 7),
    Actor(actors.watchman, 3),
    Actor(actors.buyer, 8),
    Actor(actors.buyer_without_funds, 1),
    Actor(actors.buyer_with_a_bad_line, 0.3),
    Actor(actors.impatient_buyer, 1.5),
    Actor(actors.customer, 5),
    Actor(actors.analyst, 3),
    Actor(actors.clerk, 20),
    Actor(actors.bungler, 3),
    Actor(actors.intruder, 1.5),
    Actor(actors.user, 2),
)
SCRAPER = Actor(actors.scraper, 1)


def turns(cast: Sequence[Actor], seed: int | None) -> Iterator[tuple[Actor, Random]]:
    """Who comes next, for ever, each with chances of its own, so that it matters to nobody how others fare."""
    chance = Random(seed)
    weights = [actor.weight for actor in cast]
    while True:
        [actor] = chance.choices(cast, weights)
        yield actor, Random(chance.getrandbits(64))
