"""Who visits the shop: an actor is a function that decides on one call, and says which answers are right."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

from demo.traffic.memory import Memory, Placed, borrow, take

BOOKS, LOGIN, PREDICTIONS = "/api/v1/books", "/api/v1/auth/login", "/api/v1/ml/predictions"
VERSIONED = (
    "/api/v1/categories", "/api/v1/books/top-rated", "/api/v1/stats/overview", "/api/v1/stats/categories",
)  # fmt: skip
SORTS = ("id", "titulo", "preco_com_taxa", "rating")
# How an order moves on, each way as often as it stands here; what leads nowhere is over.
NEXT_STATES = {
    "pending": ("processed", "processed", "shipped", "shipped", "shipped", "shipped", "cancelled"),
    "processed": ("shipped", "shipped", "shipped", "cancelled"),
    "shipped": ("delivered", "delivered", "delivered", "delivered", "returned"),
    "delivered": ("kept", "kept", "kept", "returned"),
}
SHELF = 40
# The example of the documentation, and a book such as no shop of these has.
ODD_BOOKS: tuple[dict[str, Any], ...] = (
    {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1},
    {"preco_com_taxa": 25_000, "preco_sem_taxa": 25_000, "disponibilidade": 900},
)
# Method, address, body, and the answer that it deserves.
BLUNDERS: tuple[tuple[str, str, str | None, int], ...] = (
    ("GET", "/wp-login.php", None, 404),
    ("GET", "/api/v1/livros", None, 404),
    ("GET", f"{BOOKS}/999999999", None, 404),
    ("GET", "/orders/ORDER-OF-NOBODY", None, 404),
    ("GET", f"{BOOKS}?page=0", None, 400),
    ("GET", f"{BOOKS}/price-range?min=30&max=10", None, 400),
    ("DELETE", BOOKS, None, 405),
    ("POST", LOGIN, "[]", 400),
    ("POST", "/api/v1/scraping/trigger", None, 401),
    ("POST", PREDICTIONS, '[{"preco_com_taxa": "dez", "disponibilidade": -1}]', 400),
    ("POST", "/orders", '{"customer_id": "cliente-1", "items": [', 400),
    ("POST", "/orders", '{"customer_id": "cliente-1", "items": []}', 400),
    ("POST", "/orders", '{"customer_id": "cliente-1", "items": [{"product_id": 0, "quantity": 0}]}', 400),
    ("POST", "/orders", '{"customer_id": "cliente-1", "items": [{"product_id": 999999999, "quantity": 1}]}', 404),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `then` sees an answer that was expected, and says what is wrong with it all the same, or ""."""

    method: str
    path: str
    expected: tuple[int, ...] = (200,)
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    then: Callable[[requests.Response], str] = lambda _: ""


def browser(chance: Random, memory: Memory) -> Call:
    """Turns the pages of the list; now and then asks for all of it."""
    if chance.random() < 0.05:
        return Call("GET", BOOKS, then=memory.learn)
    pages = 1 + len(memory.books) // 20
    query: dict[str, str | int] = {
        "page": 1 + int(pages * chance.random() ** 2),
        "per_page": 20,
        "sort": chance.choice(SORTS),
    }
    return Call("GET", BOOKS, query=query)


def reader(chance: Random, memory: Memory) -> Call:
    """Opens one book, which a scrape may have removed since."""
    return Call("GET", f"{BOOKS}/{chance.choice(memory.books).id}", expected=(200, 404))


def searcher(chance: Random, memory: Memory) -> Call:
    book = chance.choice(memory.books)
    words = {"titulo": chance.choice(book.title.split()), "categoria": book.category}
    wanted = chance.choice((("titulo",), ("categoria",), ("titulo", "categoria")))
    return Call("GET", f"{BOOKS}/search", query={name: words[name] for name in wanted})


def bargain_hunter(chance: Random, _memory: Memory) -> Call:
    low = chance.randrange(10, 50)
    return Call("GET", f"{BOOKS}/price-range", query={"min": low, "max": low + chance.randrange(1, 10)})


def regular(chance: Random, memory: Memory) -> Call:
    """Knows the categories, the best and the figures by heart, and asks whether they have changed."""
    path = chance.choice(VERSIONED)

    def keep(answer: requests.Response) -> str:
        memory.etags[path] = answer.headers.get("ETag", "")
        return "" if memory.etags[path] else "no ETag"

    known = memory.etags.get(path)
    return Call("GET", path, (200, 304), headers={"If-None-Match": known} if known else {}, then=keep)


def watchman(chance: Random, _memory: Memory) -> Call:
    return Call("GET", chance.choice(("/health", "/api/v1/scraping/status", "/")))


def buyer(
    chance: Random, memory: Memory, token: str = "", answers: tuple[int, ...] = (201, 402, 502)
) -> Call:
    """Buys a few books. Without a `token` the simulation's knobs decide about the payment."""
    items = [
        {"product_id": chance.choice(memory.books).id, "quantity": chance.choice((1, 1, 2))}
        for _ in range(chance.choice((1, 1, 2, 3)))
    ]
    order: dict[str, Any] = {"customer_id": f"cliente-{chance.randrange(1, 200)}", "items": items}
    body = json.dumps(order | ({"payment": {"token": token}} if token else {}))
    key = uuid.uuid4().hex  # not by chance: a seed that is used again must not repeat yesterday's orders

    def keep(answer: requests.Response) -> str:
        if answer.status_code == 201:
            placed = Placed(answer.json()["order_id"], "pending", key, body)
            memory.orders.append(placed)
            memory.receipts.append(placed)
        return ""

    # A book may be gone since, or sold out, and the gateway may take too long.
    return Call("POST", "/orders", (*answers, 404, 409, 504), body=body, headers=_key(memory, key), then=keep)


def buyer_without_funds(chance: Random, memory: Memory) -> Call:
    return buyer(chance, memory, "tok_denied", (402,))


def buyer_with_a_bad_line(chance: Random, memory: Memory) -> Call:
    """Whose bank does not answer as it should."""
    return buyer(chance, memory, "tok_error", (502,))


def impatient_buyer(chance: Random, memory: Memory) -> Call:
    """Sends an order again, with its Idempotency-Key, and must not get a second one."""
    receipt = borrow(memory.receipts)
    if receipt is None:
        return buyer(chance, memory)

    def compare(answer: requests.Response) -> str:
        return "" if answer.json()["order_id"] == receipt.id else "a repeated request placed another order"

    headers = _key(memory, receipt.key)
    return Call("POST", "/orders", (201,), body=receipt.body, headers=headers, then=compare)


def customer(chance: Random, memory: Memory) -> Call:
    """Looks after an order."""
    receipt = borrow(memory.receipts)
    return Call("GET", f"/orders/{receipt.id}") if receipt else reader(chance, memory)


def analyst(chance: Random, memory: Memory) -> Call:
    """Asks which ratings a shelf of books would get; now and then about a book that is like none of them."""
    shelf = chance.choices(memory.books, k=SHELF)
    with_words = chance.random() < 0.5  # which may serve to a better model
    rows = [
        {**book.features, **({"titulo": book.title, "categoria": book.category} if with_words else {})}
        for book in shelf
    ]
    if chance.random() < 0.2:
        rows = [chance.choice(ODD_BOOKS)]

    def count(answer: requests.Response) -> str:
        predictions = len(answer.json())
        return "" if predictions == len(rows) else f"{predictions} predictions for {len(rows)} books"

    return Call("POST", PREDICTIONS, body=json.dumps(rows), then=count)


def clerk(chance: Random, memory: Memory) -> Call:
    """Moves an order on; looks at the list when there is nothing to do."""
    order = take(memory.orders)
    if order is None or chance.random() < 0.1:
        if order is not None:
            memory.orders.append(order)
        status = chance.choice(("pending", "processed", "shipped", "delivered"))
        query: dict[str, str | int] = {"status": status, "per_page": 20}
        return Call("GET", "/orders", query=query, headers={"X-API-Key": memory.api_key})
    return _move(order, chance, memory)


def _move(order: Placed, chance: Random, memory: Memory) -> Call:
    status = chance.choice(NEXT_STATES[order.status])

    def keep(_: requests.Response) -> str:
        if status in NEXT_STATES:
            put_back = chance.choice((memory.orders.append, memory.orders.appendleft))  # some are in a hurry
            put_back(Placed(order.id, status, order.key, order.body))
        return ""

    headers = {"X-API-Key": memory.api_key}
    if status == "kept":
        return Call("PATCH", f"/orders/{order.id}", body='{"notes": "Entregue e aceito"}', headers=headers)
    body = json.dumps({"status": status})
    return Call("PUT", f"/orders/{order.id}/status", body=body, headers=headers, then=keep)


def bungler(chance: Random, memory: Memory) -> Call:
    """Gets addresses, parameters and bodies wrong."""
    method, path, body, answer = chance.choice(BLUNDERS)
    return Call(method, path, (answer,), body=body, headers={"X-API-Key": memory.api_key})


def intruder(chance: Random, memory: Memory) -> Call:
    """Tries wrong API keys, and wrong passwords, though not fast enough to be shut out."""
    if chance.random() < 0.5 and memory.may_guess():
        return _log_in(f"visitante-{chance.randrange(100_000)}", "senha", (401,))
    return Call("GET", "/orders", (401,), headers={"X-API-Key": chance.choice(("", "errada", "12345"))})


def user(chance: Random, memory: Memory) -> Call:
    """Logs in, renews the login, or logs out."""

    def keep(answer: requests.Response) -> str:
        memory.refresh_tokens.append(answer.json()["refresh_token"])
        return ""

    token = None if chance.random() < 0.4 else take(memory.refresh_tokens)
    if token is None:
        return _log_in(memory.username, memory.password, then=keep)
    headers = {"Authorization": f"Bearer {token}"}
    if chance.random() < 0.5:
        return Call("POST", "/api/v1/auth/refresh", headers=headers, then=keep)
    return Call("POST", "/api/v1/auth/logout", (204,), headers=headers)


def scraper(_chance: Random, memory: Memory) -> Call:
    """Logs in, has the catalogue collected anew every few minutes, and reads how that went."""
    token = memory.operator_token()
    if not token:
        return _log_in(memory.username, memory.password, then=memory.log_operator_in)
    headers = {"Authorization": f"Bearer {token}"}
    if memory.may_scrape():
        return Call("POST", "/api/v1/scraping/trigger", (202, 409), headers=headers)
    return Call("GET", "/api/v1/scraping/runs", query={"per_page": 5}, headers=headers)


def _key(memory: Memory, key: str) -> dict[str, str]:
    return {"X-API-Key": memory.api_key, "Idempotency-Key": key}


def _log_in(
    username: str,
    password: str,
    expected: tuple[int, ...] = (200,),
    then: Callable[[requests.Response], str] = lambda _: "",
) -> Call:
    return Call(
        "POST", LOGIN, expected, body=json.dumps({"username": username, "password": password}), then=then
    )
