"""What schemathesis must know of the shop beyond its document; it imports this module in a process of its own."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure

RULES_IN_WORDS = {
    "não pode ser maior que max",
    "não pode ser depois de until",
    "difere de titulo",
    "difere de title",
    "difere de categoria",
    "difere de category",
    "exige divisao",
    "não combina com page nem per_page",
    "não pode estar no futuro",
    "só combina com tipo preco ou estoque",
    "exige format=ndjson ou Accept: application/x-ndjson",
    "deve ser diferente da atual",
    "não é um cursor desta rota",
    "o arquivo de log a que se refere não existe mais",
    "não é um fuso conhecido, como America/Sao_Paulo ou UTC",
    "só vale com uma agenda",
    "nunca acontece",
    "nunca acontece: esses meses não têm esse dia",
    *(
        f"tem um campo inválido: {field}"
        for field in ("minuto", "hora", "dia do mês", "mês", "dia da semana")
    ),
}
"""Rules between two values, or about the meaning of one, which OpenAPI 3.0 has no words for: 400 is right."""
"""Rules between two values, or about a cursor's meaning, which OpenAPI 3.0 has no words for: 400 is right."""
IMPORT = "/api/v1/books/import"
"""No schema says what the rows of a file may be: 400 is right there too."""
FAILING_CARDS = {"tok_error": 502, "tok_timeout": 504}
"""Test cards that ask for a failure of the payment service."""


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Ask for no stream of log lines, which lasts a minute; tests/api/test_logs_tail.py does."""
    if case.query and case.query.get("tail") == "true":
        case.query["tail"] = "false"


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Keep each failure but those that the rules above explain."""
    body = case.body if isinstance(case.body, dict) else {}
    payment = body.get("payment")
    card = payment.get("token") if isinstance(payment, dict) else None
    if FAILING_CARDS.get(str(card)) == response.status_code:
        return False
    if response.status_code != 400:
        return True
    if case.path == IMPORT:
        return False
    messages = {error["message"] for error in json.loads(response.content).get("errors", ())}
    return not messages or not messages <= RULES_IN_WORDS
