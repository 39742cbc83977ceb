"""What several calls have in common: how they are listed, the keys, and what is right."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from tools.examine.visit import NUMBER, Visit, Wrong, expect, expect_keys, expect_problem

BRIEF = {"id": int, "titulo": str, "categoria": str, "preco_com_taxa": NUMBER}
RATED = {**BRIEF, "preco_sem_taxa": NUMBER, "rating": int}
LISTED = {**RATED, "disponibilidade": int}
DETAIL = {**LISTED, "url_imagem": str}
FEATURES = {key: kind for key, kind in LISTED.items() if key != "id"}
MEANS = {"preco_medio_com_taxa": NUMBER, "preco_medio_sem_taxa": NUMBER}
TOKENS = {"access_token": str, "refresh_token": str}


class ExaminedCall(NamedTuple):
    """`check` makes the call and returns the fact that it saw; it raises Wrong. The table shows the rest."""

    source: str
    method: str
    route: str
    check: Callable[[Visit], str]
    repeatable: bool


Check = Callable[[Visit], str]


def into(calls: list[ExaminedCall]) -> Callable[..., Callable[[Check], Check]]:
    """Return a decorator that adds a check to `calls`; one that changes the shop is not `repeatable`."""

    def examined(
        source: str, method: str, route: str, *, repeatable: bool = True
    ) -> Callable[[Check], Check]:
        def add(check: Check) -> Check:
            calls.append(ExaminedCall(source, method, route, check, repeatable))
            return check

        return add

    return examined


def expect_search(visit: Visit, title: str, category: str) -> str:
    book = a_book(visit)
    asked = {title: book["titulo"].upper(), category: book["categoria"]}
    found = visit.read_all("/api/v1/books/search", query=asked)
    for each in found:
        expect_keys(each, DETAIL)
        expect(each["categoria"] == book["categoria"], f"acha {each['titulo']!r}, de {each['categoria']}")
    expect(book["id"] in ids_of(found), f"não acha {book['titulo']!r}")
    expect(len(found) < len(visit.books) or len(visit.books) == 1, "acha todos os livros")
    return f"{len(found)} de {len(visit.books)}, entre eles o procurado"


def expect_training_rows(visit: Visit, path: str) -> str:
    rows = visit.read_all(path)
    for row in rows:
        expect_keys(row, FEATURES)
    expect([facts_of(row) for row in rows] == [facts_of(book) for book in visit.books], "não são os livros")
    return f"{len(rows)} linhas"


def expect_health(visit: Visit, path: str) -> str:
    health = visit.read("GET", path)
    expect_keys(health, {"status": str, "message": str})
    expect(health["status"] == "healthy", f"status é {health['status']}")
    return "healthy"


def expect_suggestion(visit: Visit, method: str, path: str, name: str, meant: str, **sent: Any) -> None:
    """Raise Wrong unless the shop refuses `name` and proposes `meant`."""
    problem = expect_problem(visit.ask(method, path, 400, **({"headers": visit.key} | sent)))
    told = [each["message"] for each in problem.get("errors", ()) if each["field"] == name]
    if len(told) != 1 or f"`{meant}`?" not in told[0]:
        raise Wrong(f"{path}?{name}= sugere {told} em vez de {meant}")


def a_book(visit: Visit) -> dict[str, Any]:
    """Return a book whose title says something, the same one throughout a visit."""
    return max(visit.books, key=lambda book: (len(book["titulo"]) in range(12, 60), -book["id"]))


def facts_of(book: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(book[key] for key in ("titulo", "categoria", "preco_com_taxa", "preco_sem_taxa", "rating"))


def ids_of(books: list[dict[str, Any]]) -> set[int]:
    return {book["id"] for book in books}


def expect_means(stats: dict[str, Any], of: list[dict[str, Any]]) -> None:
    for kind in ("com", "sem"):
        prices = [Decimal(book[f"preco_{kind}_taxa"]) for book in of]
        mean = (sum(prices, Decimal(0)) / len(prices)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        expect(stats[f"preco_medio_{kind}_taxa"] == mean, f"preco_medio_{kind}_taxa não é {mean}")
