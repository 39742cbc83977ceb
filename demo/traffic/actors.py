"""The actors: each is a function that decides on one call, and says which responses are right."""

import json
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

import requests

from demo.traffic.call import Call
from demo.traffic.memory import Memory, PlacedOrder, borrow, take

BOOKS, LOGIN, PREDICTIONS = "/api/v1/books", "/api/v1/auth/login", "/api/v1/ml/predictions"
VERSIONED = (
    "/api/v1/categories", "/api/v1/books/top-rated", "/api/v1/stats/overview", "/api/v1/stats/categories",
)  # fmt: skip
SORTS = ("id", "titulo", "preco_com_taxa", "rating")
NEXT_STATES = {
    "pending": ("processed", "processed", "shipped", "shipped", "shipped", "shipped", "cancelled"),
    "processed": ("shipped", "shipped", "shipped", "cancelled"),
    "shipped": ("delivered", "delivered", "delivered", "delivered", "returned"),
    "delivered": ("kept", "kept", "kept", "returned"),
}
"""The next statuses of an order, the likelier the more often it is listed; the others are final."""
SHELF = 40
ODD_BOOKS: tuple[dict[str, Any], ...] = (
    {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1},
    {"preco_com_taxa": 25_000, "preco_sem_taxa": 25_000, "disponibilidade": 900},
)
"""The documentation's example, and a book unlike any in the catalogue."""
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
"""Method, address, body, and the status of the response."""


def browser(rng: Random, memory: Memory) -> Call:
    """Turn the pages of the list; now and then read all of it."""
    if rng.random() < 0.05:
        return Call("GET", BOOKS, check=memory.learn)
    pages = 1 + len(memory.books) // 20
    page = 1 + int(pages * rng.random() ** 2)
    return Call("GET", BOOKS, query={"page": page, "per_page": 20, "sort": rng.choice(SORTS)})


def reader(rng: Random, memory: Memory) -> Call:
    """Open one book, which a scrape may have removed since."""
    return Call("GET", f"{BOOKS}/{rng.choice(memory.books).id}", expected=(200, 404))


def searcher(rng: Random, memory: Memory) -> Call:
    """Search by title, category or both."""
    book = rng.choice(memory.books)
    words = {"titulo": rng.choice(book.title.split()), "categoria": book.category}
    criteria = rng.choice((("titulo",), ("categoria",), ("titulo", "categoria")))
    return Call("GET", f"{BOOKS}/search", query={name: words[name] for name in criteria})


def bargain_hunter(rng: Random, _memory: Memory) -> Call:
    """Search in a range of prices."""
    low = rng.randrange(10, 50)
    return Call("GET", f"{BOOKS}/price-range", query={"min": low, "max": low + rng.randrange(1, 10)})


def regular(rng: Random, memory: Memory) -> Call:
    """Read categories, top books or figures again, with the ETag of the last time."""
    path = rng.choice(VERSIONED)

    def remember(response: requests.Response) -> str:
        memory.etags[path] = response.headers.get("ETag", "")
        return "" if memory.etags[path] else "no ETag"

    etag = memory.etags.get(path)
    return Call("GET", path, (200, 304), headers={"If-None-Match": etag} if etag else {}, check=remember)


def watchman(rng: Random, _memory: Memory) -> Call:
    """Look at the health, the scraping status or the home page."""
    return Call("GET", rng.choice(("/health", "/api/v1/scraping/status", "/")))


def buyer(rng: Random, memory: Memory, token: str = "", expected: tuple[int, ...] = (201, 402, 502)) -> Call:
    """Buy a few books. Without a `token`, the fault injection decides about the payment."""
    items = [
        {"product_id": rng.choice(memory.books).id, "quantity": rng.choice((1, 1, 2))}
        for _ in range(rng.choice((1, 1, 2, 3)))
    ]
    order: dict[str, Any] = {"customer_id": f"cliente-{rng.randrange(1, 200)}", "items": items}
    body = json.dumps(order | ({"payment": {"token": token}} if token else {}))
    key = uuid.uuid4().hex  # not drawn by `rng`: a seed that is used again must not repeat old orders

    def remember(response: requests.Response) -> str:
        if response.status_code == 201:
            placed = PlacedOrder(response.json()["order_id"], "pending", key, body)
            memory.orders.append(placed)
            memory.receipts.append(placed)
        return ""

    # A book may be gone since, or sold out, and the gateway may take too long.
    return Call(
        "POST", "/orders", (*expected, 404, 409, 504), body=body, headers=_key(memory, key), check=remember
    )


def buyer_without_funds(rng: Random, memory: Memory) -> Call:
    """Buy with a card that is denied."""
    return buyer(rng, memory, "tok_denied", (402,))


def buyer_with_a_bad_line(rng: Random, memory: Memory) -> Call:
    """Buy with a card that makes the gateway fail."""
    return buyer(rng, memory, "tok_error", (502,))


def impatient_buyer(rng: Random, memory: Memory) -> Call:
    """Send an order again, with its Idempotency-Key, and expect no second one."""
    receipt = borrow(memory.receipts)
    if receipt is None:
        return buyer(rng, memory)

    def compare(response: requests.Response) -> str:
        return "" if response.json()["order_id"] == receipt.id else "a repeated request placed another order"

    headers = _key(memory, receipt.key)
    return Call("POST", "/orders", (201,), body=receipt.body, headers=headers, check=compare)


def customer(rng: Random, memory: Memory) -> Call:
    """Look at an order."""
    receipt = borrow(memory.receipts)
    return Call("GET", f"/orders/{receipt.id}") if receipt else reader(rng, memory)


def analyst(rng: Random, memory: Memory) -> Call:
    """Ask for the ratings of a shelf of books; now and then of a book unlike the catalogue's."""
    shelf = rng.choices(memory.books, k=SHELF)
    with_words = rng.random() < 0.5  # for the model of the extended features
    rows = [
        {**book.features, **({"titulo": book.title, "categoria": book.category} if with_words else {})}
        for book in shelf
    ]
    if rng.random() < 0.2:
        rows = [rng.choice(ODD_BOOKS)]

    def count(response: requests.Response) -> str:
        predictions = len(response.json())
        return "" if predictions == len(rows) else f"{predictions} predictions for {len(rows)} books"

    return Call("POST", PREDICTIONS, body=json.dumps(rows), check=count)


def clerk(rng: Random, memory: Memory) -> Call:
    """Change the status of an order; read the list if there is none to change."""
    order = take(memory.orders)
    if order is None or rng.random() < 0.1:
        if order is not None:
            memory.orders.append(order)
        status = rng.choice(("pending", "processed", "shipped", "delivered"))
        query: dict[str, str | int] = {"status": status, "per_page": 20}
        return Call("GET", "/orders", query=query, headers={"X-API-Key": memory.api_key})
    return _move(order, rng, memory)


def _move(order: PlacedOrder, rng: Random, memory: Memory) -> Call:
    status = rng.choice(NEXT_STATES[order.status])

    def remember(_: requests.Response) -> str:
        if status in NEXT_STATES:
            put_back = rng.choice((memory.orders.append, memory.orders.appendleft))  # some orders are urgent
            put_back(PlacedOrder(order.id, status, order.key, order.body))
        return ""

    headers = {"X-API-Key": memory.api_key}
    if status == "kept":
        return Call("PATCH", f"/orders/{order.id}", body='{"notes": "Entregue e aceito"}', headers=headers)
    body = json.dumps({"status": status})
    return Call("PUT", f"/orders/{order.id}/status", body=body, headers=headers, check=remember)


def bungler(rng: Random, memory: Memory) -> Call:
    """Send wrong addresses, parameters and bodies."""
    method, path, body, status = rng.choice(BLUNDERS)
    return Call(method, path, (status,), body=body, headers={"X-API-Key": memory.api_key})


def intruder(rng: Random, memory: Memory) -> Call:
    """Try wrong API keys, and wrong passwords, too seldom to be blocked."""
    if rng.random() < 0.5 and memory.may_guess():
        return _log_in(f"visitante-{rng.randrange(100_000)}", "senha", (401,))
    return Call("GET", "/orders", (401,), headers={"X-API-Key": rng.choice(("", "errada", "12345"))})


def user(rng: Random, memory: Memory) -> Call:
    """Log in, refresh the login, or log out."""

    def remember(response: requests.Response) -> str:
        memory.refresh_tokens.append(response.json()["refresh_token"])
        return ""

    token = None if rng.random() < 0.4 else take(memory.refresh_tokens)
    if token is None:
        return _log_in(memory.username, memory.password, check=remember)
    headers = {"Authorization": f"Bearer {token}"}
    if rng.random() < 0.5:
        return Call("POST", "/api/v1/auth/refresh", headers=headers, check=remember)
    return Call("POST", "/api/v1/auth/logout", (204,), headers=headers)


def scraper(_rng: Random, memory: Memory) -> Call:
    """Log in, trigger a scrape once, and read about the last ones."""
    token = memory.operator_token()
    if not token:
        return _log_in(memory.username, memory.password, check=memory.log_operator_in)
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
    check: Callable[[requests.Response], str] = lambda _: "",
) -> Call:
    body = json.dumps({"username": username, "password": password})
    return Call("POST", LOGIN, expected, body=body, check=check)
