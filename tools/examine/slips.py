"""Misspelt names of query parameters, each one slip away from a right one, the same ones at each run."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

LETTERS = "abcdefghijklmnopqrstuvwxyz_"


class Misspelling(NamedTuple):
    path: str
    name: str
    meant: str


def misspellings(document: Mapping[str, Any], count: int, seed: int = 13) -> list[Misspelling]:
    """Return `count` misspelt names, in turn of every parameter of every GET route of the OpenAPI `document`."""
    rng = Random(seed)
    parameters = [(path, name, names) for path, names in query_names(document).items() for name in names]
    choices = {(path, name): sorted(clear_slips(name, names)) for path, name, names in parameters}
    taken: list[Misspelling] = []
    while len(taken) < count and any(choices.values()):
        for (path, name), slips in choices.items():
            if slips and len(taken) < count:
                taken.append(Misspelling(path, slips.pop(rng.randrange(len(slips))), name))
    return taken


def query_names(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the query parameters of each GET route that has some."""
    named = {
        path: [each["name"] for each in operations["get"].get("parameters", ()) if each["in"] == "query"]
        for path, operations in document["paths"].items()
        if "get" in operations
    }
    return {path: names for path, names in named.items() if names}


def clear_slips(name: str, known: list[str]) -> set[str]:
    """Return what one slip makes of `name`, but what is another known name or as near to one."""
    others = {slip for other in known if other != name for slip in (other, *one_slip(other))}
    return set(one_slip(name)) - others - {name, ""}


def one_slip(name: str) -> Iterator[str]:
    """Yield every spelling with a letter left out, replaced or put in, or with two neighbours swapped."""
    for place in range(len(name) + 1):
        before, after = name[:place], name[place:]
        yield from (f"{before}{letter}{after}" for letter in LETTERS)
        if after:
            yield before + after[1:]
            yield from (f"{before}{letter}{after[1:]}" for letter in LETTERS)
        if len(after) > 1:
            yield f"{before}{after[1]}{after[0]}{after[2:]}"
