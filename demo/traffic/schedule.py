"""How often each actor makes a call, and in which order."""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from demo.traffic import actors
from demo.traffic.call import Call
from demo.traffic.memory import Memory


class Actor(NamedTuple):
    """A function of demo/traffic/actors.py, and its share of the calls."""

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


def schedule(cast: Sequence[Actor], seed: int | None) -> Iterator[tuple[Actor, Random]]:
    """Draw actors without end, each with a generator of its own, independent of the other calls."""
    rng = Random(seed)
    weights = [actor.weight for actor in cast]
    while True:
        [actor] = rng.choices(cast, weights)
        yield actor, Random(rng.getrandbits(64))
