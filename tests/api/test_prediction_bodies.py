"""Bodies that nothing is predicted for: each is refused by the position and the field of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.test_bad_bodies import send_chunked
from tests.api.test_predictions import PREDICTIONS, SEEDS_EXAMPLE
from tests.support.checks import fields_of, problem_of

GOOD = json.dumps(SEEDS_EXAMPLE)
WITH_PRICE = '{"preco_com_taxa": %s, "preco_sem_taxa": 8, "disponibilidade": 1}'
WITH_STOCK = '{"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": %s}'
WITH_CATEGORY = '{"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1, "categoria": %s}'
WITH_TITLE = '{"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1, "titulo": %s}'
HUGE = "1" + "0" * 400
NOT_FINITE = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"]
NEITHER = [
    '"10"',
    '""',
    '"um"',
    "true",
    "false",
    "null",
    "[]",
    "[1]",
    "{}",
    '{"valor": 1}',
    "-1",
    HUGE,
    f"-{HUGE}",
]
NO_PRICES = [*NEITHER, *NOT_FINITE, "-0.01", "-1e-9", "99999999.01", "100000000", "1e300"]
NO_STOCKS = [*NEITHER, *NOT_FINITE, "1.0", "0.0", "1.5", "1e2", "1000001", "9223372036854775808"]
NO_TEXTS = [
    "null",
    "1",
    "1.5",
    "true",
    "[]",
    "{}",
    '"a\\u0000b"',
    '"a\\nb"',
    '"\\t"',
    '"a\\u007fb"',
    '"a\\u0085b"',
]
NOT_JSON = [
    "",
    "   ",
    "{",
    "[",
    f"[{GOOD}",
    f"[{GOOD}]x",
    f"[{GOOD},]",
    f"{GOOD}{GOOD}",
    "preco_com_taxa=10",
    "[{'preco_com_taxa': 10}]",
    *(f"[{WITH_PRICE % number}]" for number in ("01", "+1", ".5", "1_0", "undefined", "9" * 5_000)),
    "[" * 50_000,
    "[" + WITH_CATEGORY % '"\\ud800"' + "]",
]
NO_LISTS = ["null", "{}", GOOD, "1", "true", '"[]"', f'{{"0": {GOOD}}}', f'{{"inputs": [{GOOD}]}}']
NO_OBJECTS = ["null", "1", "1.5", "true", '"10"', "[]", f"[{GOOD}]", "[[[]]]", "[10, 8, 1]"]
PRICES, STOCK = {"[0].preco_com_taxa", "[0].preco_sem_taxa"}, "[0].disponibilidade"
OTHERS = [
    ("[{}]", {*PRICES, STOCK}),
    ('[{"preco_com_taxa": 1}]', {"[0].preco_sem_taxa", STOCK}),
    ('[{"categoria": "Poetry", "titulo": "x"}]', {*PRICES, STOCK}),
    (
        f"[{GOOD}, {WITH_STOCK % '-1'}, {GOOD}, {WITH_PRICE % 'null'}]",
        {"[1].disponibilidade", "[3].preco_com_taxa"},
    ),
    (GOOD.replace("preco_c", "Preco_c").join("[]"), {"[0].Preco_com_taxa", "[0].preco_com_taxa"}),
    (f'[{GOOD}, {{"rating": 3, {GOOD[1:]}]', {"[1].rating"}),
    (f'[{{"id": 1, "x y": {{"z": [1, {{}}]}}, {GOOD[1:]}]', {"[0].id", "[0].x y"}),
    (f'[{{"x": {{"y": [0, NaN]}}, {GOOD[1:]}]', {"[0].x.y[1]"}),
    (f'[{{"preco_com_taxa": 1, {GOOD[1:]}]', {"preco_com_taxa"}),
    ("[NaN]", {"[0]"}),
    ("[0, [Infinity]]", {"[1][0]"}),
    ("NaN", {"corpo"}),
    (
        '[{"preco_com_taxa": -1, "preco_sem_taxa": null, "disponibilidade": 1.5, "titulo": 1, "x": 1}, 3]',
        {*PRICES, STOCK, "[0].titulo", "[0].x", "[1]"},
    ),
]
TABLE: list[tuple[str, set[str]]] = [
    *[(body, {"corpo"}) for body in [*NOT_JSON, *NO_LISTS]],
    *[(f"[{value}]", {"[0]"}) for value in NO_OBJECTS],
    *[(f"[{GOOD}, {value}]", {"[1]"}) for value in NO_OBJECTS],
    *[(f"[{GOOD}, {WITH_PRICE % value}]", {"[1].preco_com_taxa"}) for value in NO_PRICES],
    *[(f"[{WITH_STOCK % value}]", {"[0].disponibilidade"}) for value in NO_STOCKS],
    *[(f"[{WITH_CATEGORY % value}]", {"[0].categoria"}) for value in [*NO_TEXTS, f'"{"x" * 301}"']],
    *[(f"[{WITH_TITLE % value}]", {"[0].titulo"}) for value in [*NO_TEXTS, f'"{"é" * 1_001}"']],
    *OTHERS,
]


def send(client: FlaskClient, body: str, content_type: str | None = "application/json") -> TestResponse:
    return client.post(PREDICTIONS, data=body.encode(), content_type=content_type)


def name_of(value: object) -> str | None:
    return repr(value[:70]) if isinstance(value, str) else ""


@pytest.mark.parametrize(("body", "fields"), TABLE, ids=name_of)
def test_a_bad_body_is_refused_by_position_and_field(
    trained: FlaskClient, body: str, fields: set[str]
) -> None:
    response = send(trained, body)
    assert fields_of(response) == fields
    assert "X-Model-Version" not in response.headers
    assert len(response.data) < 3_000


@pytest.mark.parametrize(
    "body",
    ["{}", "[1]", "[{}]", f"[{WITH_PRICE % '-1'}]", f"[{WITH_STOCK % '1.5'}]", f"[{WITH_TITLE % 'null'}]", "[NaN]"],
)  # fmt: skip
def test_the_reasons_are_given_in_portuguese(trained: FlaskClient, body: str) -> None:
    messages = [error["message"] for error in send(trained, body).get_json()["errors"]]
    portuguese = ("deve ser", "campo obrigatório", "não pode ser nulo")
    assert all(message.startswith(portuguese) for message in messages), messages


@pytest.mark.parametrize("body", NO_LISTS)
def test_what_is_no_list_is_told_so(trained: FlaskClient, body: str) -> None:
    [error] = send(trained, body).get_json()["errors"]
    assert error == {"field": "corpo", "message": "deve ser uma lista de livros"}


@pytest.mark.parametrize("book", [WITH_PRICE % "NaN", WITH_STOCK % "1e400"])
def test_a_number_that_is_none_is_told_so(trained: FlaskClient, book: str) -> None:
    [error] = send(trained, f"[{book}]").get_json()["errors"]
    assert error["message"] == "deve ser um número finito"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("preco_com_taxa", 0),
        ("preco_com_taxa", 99_999_999),
        ("preco_sem_taxa", 5e-324),
        ("preco_sem_taxa", -0.0),
        ("disponibilidade", 0),
        ("disponibilidade", 1_000_000),
    ],
)
def test_the_bounds_themselves_are_in(trained: FlaskClient, key: str, value: float) -> None:
    assert send(trained, json.dumps([SEEDS_EXAMPLE | {key: value}])).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", None, ""]
)
def test_a_body_that_is_not_called_json_is_415(trained: FlaskClient, content_type: str | None) -> None:
    problem_of(send(trained, f"[{GOOD}]", content_type), 415)
    problem_of(send_chunked(trained, f"[{GOOD}]".encode(), PREDICTIONS, content_type or ""), 415)


def test_a_body_may_come_in_chunks(trained: FlaskClient) -> None:
    response = send_chunked(trained, f"[{GOOD}]".encode(), PREDICTIONS)
    assert response.get_json() == [{"input": SEEDS_EXAMPLE, "prediction": 1}]


def test_a_body_over_the_limit_of_all_bodies_is_413(trained: FlaskClient) -> None:
    problem_of(send(trained, f"[{GOOD}]".ljust(1_000_001)), 413)
    problem_of(send_chunked(trained, f"[{GOOD}]".encode().ljust(1_000_001), PREDICTIONS), 413)


@pytest.mark.parametrize("book", ["{}", "null", WITH_PRICE % "NaN", '{"x": 1, "y": 2}'])
def test_of_many_bad_books_the_first_hundred_problems_are_named(trained: FlaskClient, book: str) -> None:
    response = send(trained, f"[{', '.join([book] * 1_000)}]")
    problem = problem_of(response, 400)
    assert len(problem["errors"]) == 100
    assert problem["errors"][0]["field"].startswith("[0]")
    assert len(problem["detail"]) < 600
    assert len(response.data) < 12_000


def test_the_last_of_a_thousand_books_is_found(trained: FlaskClient) -> None:
    body = f"[{', '.join([GOOD] * 999)}, {WITH_STOCK % '-1'}]"
    assert fields_of(send(trained, body)) == {"[999].disponibilidade"}


@pytest.mark.parametrize(("books", "status"), [(1_000, 200), (1_001, 413)])
def test_a_batch_has_a_thousand_books_at_most(trained: FlaskClient, books: int, status: int) -> None:
    response = send(trained, f"[{', '.join([GOOD] * books)}]")
    assert response.status_code == status
    if status == 200:
        assert len(response.get_json()) == books


def test_the_limit_of_a_batch_is_a_setting(make_app: Callable[..., Flask]) -> None:
    client = make_app(ml_max_batch=3).test_client()
    assert len(send(client, f"[{', '.join([GOOD] * 3)}]").get_json()) == 3
    problem = problem_of(send(client, f"[{', '.join([GOOD] * 4)}]"), 413)
    assert problem["detail"] == "O lote passa do limite de 3 livros (ML_MAX_BATCH)."
    assert problem["error_type"] == "payload_too_large"


@pytest.mark.parametrize("book", ["{}", "null", '{"x": 1}', "[]"])
def test_a_batch_that_is_too_large_costs_no_report_on_its_books(
    trained: FlaskClient, monkeypatch: pytest.MonkeyPatch, book: str
) -> None:
    def never(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("a book of a batch that is refused was read")

    monkeypatch.setattr("app.web.fields.JsonAmount._deserialize", never)
    monkeypatch.setattr("app.web.parsing.invalid_input", never)
    response = send(trained, f"[{', '.join([book] * 30_000)}]")
    assert "errors" not in problem_of(response, 413)
    assert len(response.data) < 1_000


def test_a_bad_batch_counts_nothing(reader: FlaskClient) -> None:
    def predicted() -> list[str]:
        lines = reader.get("/metrics").text.splitlines()
        return [line for line in lines if line.startswith("livraria_predictions_total{")]

    before = predicted()
    assert before
    send(reader, f"[{GOOD}, {WITH_STOCK % '-1'}]")
    assert predicted() == before


def test_the_position_is_told_however_long_an_unknown_name_is(trained: FlaskClient) -> None:
    [field] = fields_of(send(trained, f'[{GOOD}, {{"{"x" * 200}": 1, {GOOD[1:]}]'))
    assert field.startswith("[1].x")
    assert len(field) <= 80


def test_a_deep_body_is_not_told_a_hundredfold(trained: FlaskClient) -> None:
    response = send(trained, "[" * 900 + "NaN," * 200 + "0" + "]" * 900)
    assert len(problem_of(response, 400)["errors"]) == 100
    assert len(response.data) < 20_000
