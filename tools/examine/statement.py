"""The 15 calls that the statement of the Tech Challenge asks for, in its order.

Core: books, one book, search, categories, health. Insights: overview, categories, top-rated, price range. Bonus:
login, refresh and the protected trigger; features, training data and predictions.
"""

from collections import Counter
from typing import Any

from tools.examine.checks import (
    BRIEF,
    DETAIL,
    LISTED,
    MEANS,
    RATED,
    TOKENS,
    ExaminedCall,
    a_book,
    expect_health,
    expect_means,
    expect_search,
    expect_training_rows,
    facts_of,
    ids_of,
    into,
)
from tools.examine.visit import Visit, expect, expect_keys, expect_problem, parse

CALLS: list[ExaminedCall] = []
examined = into(CALLS)


@examined("enunciado", "GET", "/api/v1/books")
def books(visit: Visit) -> str:
    visit.books = visit.read_all("/api/v1/books")
    expect(visit.books, "o catálogo está vazio")
    for book in visit.books:
        expect_keys(book, LISTED)
        expect(1 <= book["rating"] <= 5 and book["disponibilidade"] >= 0, f"livro impossível: {book}")
    expect(len({book["id"] for book in visit.books}) == len(visit.books), "há ids repetidos")
    return f"{len(visit.books)} livros"


@examined("enunciado", "GET", "/api/v1/books/{id}")
def one_book(visit: Visit) -> str:
    book = a_book(visit)
    detail = visit.read("GET", f"/api/v1/books/{book['id']}")
    expect_keys(detail, {**DETAIL, "descricao": str, "upc": str, "url_produto": str})
    expect(facts_of(detail) == facts_of(book), f"é outro livro: {detail['titulo']}")
    expect(detail["url_imagem"].startswith(("http://", "https://")), "url_imagem não é absoluta")
    expect_problem(visit.ask("GET", "/api/v1/books/2147483647", 404))
    return f"{book['id']}: {book['titulo'][:30]}"


@examined("enunciado", "GET", "/api/v1/books/search?title=&category=")
def search_in_english(visit: Visit) -> str:
    return expect_search(visit, "title", "category")


@examined("enunciado", "GET", "/api/v1/categories")
def categories(visit: Visit) -> str:
    names = visit.read("GET", "/api/v1/categories")
    expect(names == list(dict.fromkeys(book["categoria"] for book in visit.books)), "não são as dos livros")
    return f"{len(names)} categorias, na ordem do catálogo"


@examined("enunciado", "GET", "/api/v1/health")
def health_of_the_api(visit: Visit) -> str:
    return expect_health(visit, "/api/v1/health")


@examined("enunciado", "GET", "/api/v1/stats/overview")
def overview(visit: Visit) -> str:
    stats = visit.read("GET", "/api/v1/stats/overview")
    expect_keys(stats, {"total_livros": int, "distribuicao_ratings": dict, **MEANS})
    expect(stats["total_livros"] == len(visit.books), f"total_livros é {stats['total_livros']}")
    expect_means(stats, visit.books)
    counts = Counter(str(book["rating"]) for book in visit.books)
    expect(stats["distribuicao_ratings"] == {n: counts[n] for n in "12345"}, "distribuicao_ratings difere")
    return f"média {stats['preco_medio_com_taxa']}"


@examined("enunciado", "GET", "/api/v1/stats/categories")
def category_stats(visit: Visit) -> str:
    rows = visit.read("GET", "/api/v1/stats/categories")
    shelves: dict[str, list[dict[str, Any]]] = {}
    for book in visit.books:
        shelves.setdefault(book["categoria"], []).append(book)
    for row in rows:
        expect_keys(row, {"categoria": str, "quantidade_livros": int, **MEANS})
        shelf = shelves.pop(row["categoria"], [])
        expect(row["quantidade_livros"] == len(shelf), f"quantidade_livros de {row['categoria']} difere")
        expect_means(row, shelf)
    expect(not shelves, f"faltam {sorted(shelves)[:3]}")
    return f"{len(rows)} categorias, médias exatas"


@examined("enunciado", "GET", "/api/v1/books/top-rated")
def top_rated(visit: Visit) -> str:
    found = visit.read_all("/api/v1/books/top-rated")
    best = max(book["rating"] for book in visit.books)
    for book in found:
        expect_keys(book, RATED)
    expect(
        ids_of(found) == {book["id"] for book in visit.books if book["rating"] == best}, "são outros livros"
    )
    return f"{len(found)} livros com {best}"


@examined("enunciado", "GET", "/api/v1/books/price-range?min=&max=")
def price_range(visit: Visit) -> str:
    found = visit.read_all("/api/v1/books/price-range", query={"min": 10, "max": 50})
    for book in found:
        expect_keys(book, BRIEF)
    right = {book["id"] for book in visit.books if 10 <= book["preco_com_taxa"] <= 50}
    expect(ids_of(found) == right, f"{len(found)} livros em vez de {len(right)}")
    expect_problem(visit.ask("GET", "/api/v1/books/price-range", 400, query={"min": 50, "max": 10}))
    return f"{len(found)} livros de 10 a 50"


@examined("enunciado", "POST", "/api/v1/auth/login")
def log_in(visit: Visit) -> str:
    credentials = {"username": visit.username, "password": visit.password}
    tokens = visit.read("POST", "/api/v1/auth/login", body=credentials)
    expect_keys(tokens, TOKENS)
    expect("deve_trocar_senha" not in tokens, "a senha inicial deve ser trocada antes: /api/v1/auth/password")
    visit.access_token, visit.refresh_token = tokens["access_token"], tokens["refresh_token"]
    wrong = visit.ask("POST", "/api/v1/auth/login", 401, body={"username": visit.name, "password": "errada"})
    expect_problem(wrong)
    return "dois tokens; senha errada é 401"


@examined("enunciado", "POST", "/api/v1/auth/refresh", repeatable=False)
def refresh(visit: Visit) -> str:
    expect_problem(visit.ask("POST", "/api/v1/auth/refresh", 401, headers=visit.bearer()))
    tokens = visit.read("POST", "/api/v1/auth/refresh", headers=visit.bearer(visit.refresh_token))
    expect_keys(tokens, {"access_token": str})
    visit.access_token = tokens["access_token"]
    return "um token novo; o de acesso é recusado"


@examined("enunciado", "POST", "/api/v1/scraping/trigger", repeatable=False)
def trigger(visit: Visit) -> str:
    expect_problem(visit.ask("POST", "/api/v1/scraping/trigger", 401))
    response = visit.ask("POST", "/api/v1/scraping/trigger", 202, 409, headers=visit.bearer())
    if response.status_code == 409:
        expect_problem(response)
        return "um scraping já estava em andamento"
    started = parse(response)
    expect_keys(started, {"message": str, "status": str})
    expect(started["status"] == "processing", f"status é {started['status']}")
    right = "Scraping iniciado em background. Consulte o status depois."
    expect(started["message"] == right, f"message é {started['message']!r}")
    visit.ask(
        "POST", "/api/v1/scraping/cancel", 202, 409, headers=visit.bearer()
    )  # 409: it has ended already
    return "iniciado, e cancelado"


@examined("enunciado", "GET", "/api/v1/ml/features")
def features(visit: Visit) -> str:
    return expect_training_rows(visit, "/api/v1/ml/features")


@examined("enunciado", "GET", "/api/v1/ml/training-data")
def training_data(visit: Visit) -> str:
    return expect_training_rows(visit, "/api/v1/ml/training-data")


@examined("enunciado", "POST", "/api/v1/ml/predictions")
def predictions(visit: Visit) -> str:
    rows = [{"preco_com_taxa": price, "preco_sem_taxa": 8, "disponibilidade": 1} for price in (10, 20)]
    answers = visit.read("POST", "/api/v1/ml/predictions", body=rows)
    expect(isinstance(answers, list) and len(answers) == len(rows), "não há uma resposta por livro")
    for row, answer in zip(rows, answers, strict=True):
        expect_keys(answer, {"input": dict, "prediction": int})
        expect(answer["input"] == row, f"input é {answer['input']}")
        expect(1 <= answer["prediction"] <= 5, f"prediction é {answer['prediction']}")
    return f"avaliações {', '.join(str(answer['prediction']) for answer in answers)}"
