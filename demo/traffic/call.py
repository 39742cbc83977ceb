"""One request of a visitor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests


@dataclass(frozen=True, slots=True)
class Call:
    """A request, the statuses that are right, and a `check` of responses with one of them.

    `check` returns a problem, or "".
    """

    method: str
    path: str
    expected: tuple[int, ...] = (200,)
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[requests.Response], str] = lambda _: ""
