"""One examination: what is sent, what is known so far, and what is right."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests

TIMEOUT_S = 30.0
MAX_WAITS = 3
"""How often a call is sent again after a 429, which says how long to wait."""
MAX_WAIT_S = 90.0
NUMBER = (int, Decimal)


class Wrong(Exception):
    """A response that is not what it should be; the text says how."""


FAULTS = (Wrong, requests.RequestException, KeyError, TypeError, ValueError)
"""What a wrong response may raise: a check reads it as a right one."""


@dataclass
class Visit:
    """An examiner's session; one thread uses it."""

    url: str
    username: str
    password: str
    api_key: str
    metrics_token: str = ""
    session: requests.Session = field(default_factory=requests.Session)
    pause: Callable[[float], object] = time.sleep
    name: str = field(default_factory=lambda: f"examinador-{uuid.uuid4().hex[:12]}")
    """Names the user and the order that are made, unlike those of any other visit."""
    books: list[dict[str, Any]] = field(default_factory=list)
    access_token: str = ""
    refresh_token: str = ""
    order_id: str = ""

    def ask(
        self,
        method: str,
        path: str,
        *statuses: int,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request, and wait where the shop says so. Raises Wrong for a status that is not of `statuses`."""
        for waits in range(MAX_WAITS + 1):
            response = self.session.request(
                method,
                path if path.startswith("http") else self.url + path,
                params=query,
                json=body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
            if response.status_code != 429 or 429 in statuses or waits == MAX_WAITS:
                break
            self.pause(min(float(response.headers.get("Retry-After", "1")), MAX_WAIT_S))
        if response.status_code not in (statuses or (200,)):
            raise Wrong(f"{response.status_code} em vez de {statuses or (200,)}: {response.text[:200]}")
        return response

    def read(self, method: str, path: str, *statuses: int, **sent: Any) -> Any:
        """Send a request and return its JSON, numbers as they were written."""
        return parse(self.ask(method, path, *statuses, **sent))

    def read_all(self, path: str, **sent: Any) -> list[dict[str, Any]]:
        """Return the items of a list and of the pages that it leads to."""
        response = self.ask("GET", path, **sent)
        items: list[dict[str, Any]] = list(parse(response))
        while following := response.links.get("next", {}).get("url"):
            response = self.ask("GET", following)
            items += parse(response)
        total = response.headers.get("X-Total-Count")
        expect(total is None or int(total) == len(items), f"{len(items)} itens, anunciados {total}")
        return items

    def bearer(self, token: str = "") -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.access_token}"}

    @property
    def key(self) -> dict[str, str]:
        return {"X-API-Key": self.api_key}


def parse(response: requests.Response) -> Any:
    try:
        return json.loads(response.content, parse_float=Decimal)
    except ValueError:
        raise Wrong(f"não é JSON: {response.text[:80]!r}") from None


def expect(condition: object, otherwise: str) -> None:
    """Raise Wrong unless `condition` holds."""
    if not condition:
        raise Wrong(otherwise)


def expect_keys(item: Any, types: Mapping[str, Any]) -> None:
    """Raise Wrong unless `item` is an object that has every key of `types`, each with a value of its type."""
    expect(isinstance(item, dict), f"não é um objeto: {str(item)[:80]}")
    for key, kind in types.items():
        expect(key in item, f"falta a chave {key}")
        value = item[key]
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        expect(right, f"{key} é de outro tipo: {str(value)[:80]!r}")


def expect_problem(response: requests.Response) -> dict[str, Any]:
    """Return the error of `response`. Raises Wrong unless it has the one form of all errors (RFC 9457)."""
    expect(
        response.headers.get("Content-Type", "").startswith("application/problem+json"),
        "o erro não é application/problem+json",
    )
    problem: dict[str, Any] = parse(response)
    words = ("type", "title", "detail", "error", "error_type", "request_id")
    expect_keys(problem, {"status": int, **dict.fromkeys(words, str)})
    expect(problem["status"] == response.status_code, "o status do corpo é outro")
    return problem
