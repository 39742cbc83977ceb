"""The calls of the two seed systems beyond the statement's, and what holds for all of them."""

from tools.examine import statement
from tools.examine.checks import (
    TOKENS,
    ExaminedCall,
    a_book,
    expect_health,
    expect_search,
    expect_suggestion,
    ids_of,
    into,
)
from tools.examine.slips import misspellings
from tools.examine.visit import NUMBER, Visit, expect, expect_keys, expect_problem

SLIPS = 200
CALLS: list[ExaminedCall] = []
examined = into(CALLS)


@examined("S1", "GET", "/api/v1/books/search?titulo=&categoria=")
def search_in_portuguese(visit: Visit) -> str:
    book = a_book(visit)
    title = f"{book['titulo']} {book['categoria']}"  # as in its "Behind Closed Doors Thriller"
    found = visit.read_all("/api/v1/books/search", query={"titulo": title, "categoria": book["categoria"]})
    expect(book["id"] in ids_of(found), "o título com a categoria ao lado não acha o livro")
    both = {"titulo": "a", "title": "b"}
    problem = expect_problem(visit.ask("GET", "/api/v1/books/search", 400, query=both))
    expect({each["field"] for each in problem["errors"]} >= set(both), "não nomeia titulo e title")
    return expect_search(visit, "titulo", "categoria")


@examined("S1", "POST", "/api/v1/auth/newuser", repeatable=False)
def new_user(visit: Visit) -> str:
    user = {"username": visit.name, "password": f"Senha-{visit.name}"}
    expect_problem(visit.ask("POST", "/api/v1/auth/newuser", 401, body=user))
    created = visit.read("POST", "/api/v1/auth/newuser", 201, body=user, headers=visit.bearer())
    expect(created == {"message": "Usuário criado com sucesso!"}, f"responde {created}")
    tokens = visit.read("POST", "/api/v1/auth/login", body=user)
    expect_keys(tokens, TOKENS)
    visit.ask("POST", "/api/v1/auth/logout", 204, headers=visit.bearer(tokens["access_token"]))
    return f"{visit.name}, que entrou e saiu"


@examined("S1", "GET", "/api/v1/scraping/status")
def scraping_status(visit: Visit) -> str:
    status = visit.read("GET", "/api/v1/scraping/status")
    expect_keys(status, {"status": str})
    words = ("processing", "done", "error", "cancelled", "never", "interrupted")
    expect(status["status"] in words, f"status é {status['status']}")
    return str(status["status"])


@examined("S1", "GET", "/api/v1/logs")
def logs(visit: Visit) -> str:
    lines = visit.read("GET", "/api/v1/logs", headers=visit.bearer())
    requests_logged = [line for line in lines if line.get("message") == "request"]
    expect(requests_logged, "nenhuma requisição no log")
    for line in requests_logged:
        words = ("timestamp", "levelname", "name", "method", "path", "request_id")
        expect_keys(line, {**dict.fromkeys(words, str), "status": int, "duration": NUMBER})
    return f"{len(lines)} linhas"


@examined("S1", "GET", "/apidocs/")
def documentation(visit: Visit) -> str:
    expect("swagger" in visit.ask("GET", "/apidocs/").text.lower(), "não é o Swagger UI")
    document = visit.read("GET", "/apispec_1.json")
    for call in (*statement.CALLS, *CALLS):
        path = call.route.partition("?")[0]
        if path.startswith(("/api/", "/orders")):
            names = [each for each in document["paths"] if each.replace("book_idx", "id") == path]
            expect(names and call.method.lower() in document["paths"][names[0]], f"{path} não está descrita")
    return f"{len(document['paths'])} rotas descritas"


@examined("S0", "POST", "/orders", repeatable=False)
def place_order(visit: Visit) -> str:
    book = max(visit.books, key=lambda each: int(each["disponibilidade"]))
    order = {"customer_id": visit.name, "items": [{"product_id": book["id"], "quantity": 1}]}
    expect_problem(visit.ask("POST", "/orders", 401, body=order))
    bad = expect_problem(visit.ask("POST", "/orders", 400, body={**order, "items": []}, headers=visit.key))
    expect(bad.get("success") is False and "message" in bad, "o erro não traz success e message")
    slip = {"custumer_id": visit.name, "items": order["items"]}
    expect_suggestion(visit, "POST", "/orders", "custumer_id", "customer_id", body=slip)
    sent = {**order, "payment": {"token": "tok_approved"}}  # whatever the simulation of payments is set to
    headers = {**visit.key, "Idempotency-Key": visit.name}
    placed = visit.read("POST", "/orders", 201, body=sent, headers=headers)
    words = {"success": bool, "message": str, "order_id": str, "status": str, "total_amount": NUMBER}
    visit.order_id = str(placed.get("order_id", ""))
    expect_keys(placed, words)
    expect(placed["success"] and placed["status"] == "pending", f"status é {placed['status']}")
    expect(placed["total_amount"] == book["preco_com_taxa"], f"custa {placed['total_amount']}")
    return f"{visit.order_id} a {placed['total_amount']}"


@examined("S0", "GET", "/orders/{order_id}")
def read_order(visit: Visit) -> str:
    order = visit.read("GET", f"/orders/{visit.order_id}")
    words = ("order_id", "customer_id", "status", "payment_status", "created_at", "last_updated_at")
    expect_keys(order, {**dict.fromkeys(words, str), "items": list, "total_amount": NUMBER})
    expect(order["order_id"] == visit.order_id and order["customer_id"] == visit.name, "é outro pedido")
    for item in order["items"]:
        expect_keys(item, {"product_id": int, "name": str, "quantity": int, "price_unit": NUMBER})
    expect(sum(item["price_unit"] * item["quantity"] for item in order["items"]) == order["total_amount"],
           "o total não é a soma das linhas")  # fmt: skip
    expect_problem(visit.ask("GET", "/orders/ORDER-OF-NO-ONE", 404))
    return f"{len(order['items'])} linha, {order['payment_status']}"


@examined("S0", "GET", "/orders")
def list_orders(visit: Visit) -> str:
    expect_problem(visit.ask("GET", "/orders", 401))
    listed = visit.read("GET", "/orders", query={"customer_id": visit.name}, headers=visit.key)
    expect_keys(listed, {"success": bool, "orders": list})
    expect([order["order_id"] for order in listed["orders"]] == [visit.order_id], "não é o pedido feito")
    return "o pedido do cliente"


@examined("S0", "PUT", "/orders/{order_id}/status", repeatable=False)
def cancel_order(visit: Visit) -> str:
    path = f"/orders/{visit.order_id}/status"
    expect_problem(visit.ask("PUT", path, 400, body={"status": "perdido"}, headers=visit.key))
    changed = visit.read("PUT", path, body={"status": "cancelled"}, headers=visit.key)
    expect_keys(changed, {"success": bool, "message": str})
    order = visit.read("GET", f"/orders/{visit.order_id}")
    expect(order["status"] == "cancelled", f"status é {order['status']}")
    return "cancelado: os exemplares voltaram"


@examined("S0", "GET", "/health")
def health(visit: Visit) -> str:
    return expect_health(visit, "/health")


@examined("S0, S1", "GET", "/metrics")
def metrics(visit: Visit) -> str:
    headers = visit.bearer(visit.metrics_token) if visit.metrics_token else {}
    text = visit.ask("GET", "/metrics", headers=headers).text
    names = (
        "api_requests_total", "api_request_latency_seconds_bucket", "api_errors_total",
        "ecommerce_orders_created_total", "ecommerce_order_processing_latency_seconds_bucket",
        "ecommerce_active_sessions_gauge", "ecommerce_inventory_level_gauge",
        "flask_http_request_duration_seconds_bucket", "flask_http_request_total",
    )  # fmt: skip
    missing = [name for name in names if f"\n{name}{{" not in text and f"\n{name} " not in text]
    expect(not missing, f"faltam {', '.join(missing)}")
    return f"{len(names)} métricas dos dois sistemas"


@examined("contrato", "GET", "um endereço que não existe")
def unknown_address(visit: Visit) -> str:
    expect_problem(visit.ask("GET", "/api/v1/livros", 404))
    expect_problem(visit.ask("DELETE", "/api/v1/books", 405))
    return "404 e 405, na forma de todo erro"


@examined("contrato", "GET", f"{SLIPS} nomes de parâmetro errados")
def misspelt_names(visit: Visit) -> str:
    slips = misspellings(visit.read("GET", "/apispec_1.json"), SLIPS)
    expect(len(slips) == SLIPS, f"só {len(slips)} nomes")
    for path, name, meant in slips:
        address = path.replace("{book_idx}", str(a_book(visit)["id"]))
        headers = visit.bearer() | visit.key
        expect_suggestion(visit, "GET", address, name, meant, query={name: "1"}, headers=headers)
    problem = expect_problem(visit.ask("GET", "/api/v1/categories", 400, query={"pagina": 1}))
    expect([each["field"] for each in problem["errors"]] == ["pagina"], "não nomeia o que não é conhecido")
    return f"todos 400, cada um com o certo, em {len({slip.path for slip in slips})} rotas"
