"""How a file of books may be sent, and how large it may be."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.api.test_bad_bodies import send_chunked
from tests.support.catalogue_csv import as_csv, seed_rows
from tests.support.checks import fields_of, problem_of
from tests.support.imports import IMPORT, ImportClient

THREE = as_csv(seed_rows(3))
FORM = "multipart/form-data"


@pytest.fixture
def client(app: Flask) -> ImportClient:
    return ImportClient(app)


def part(data: bytes = THREE, name: str = "livros.csv") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


@pytest.mark.parametrize("content_type", ["text/csv", "text/csv; charset=utf-8", "TEXT/CSV; header=present"])
def test_a_file_may_be_the_body(client: ImportClient, content_type: str) -> None:
    assert client.send(THREE, content_type=content_type).status_code == 200


@pytest.mark.parametrize("name", ["arquivo", "file", "x"])
def test_a_file_may_be_the_one_part_of_a_form(client: ImportClient, name: str) -> None:
    response = client.send({name: part()}, content_type=None)
    assert (response.status_code, response.get_json()["aceitas"]) == (200, 3)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"texto": "categoria"},
        {"arquivo": part(), "texto": "x"},
        {"a": part(), "b": part()},
        {"a": [part(), part(), part()]},
        {"arquivo": part(b"")},
    ],
    ids=["nothing", "a text", "a text too", "two files", "three files", "an empty file"],
)
def test_a_form_of_anything_but_one_file_is_400(client: ImportClient, form: dict[str, Any]) -> None:
    boundary = FORM if form else f"{FORM}; boundary=x"
    assert fields_of(client.send(form or b"--x--\r\n", content_type=boundary)) == {"corpo"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--x\r\n",
        b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\nabc",
        b"--y--",
    ],
)
@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; boundary=x", f"{FORM}; boundary="])
def test_a_broken_form_is_400(client: ImportClient, body: bytes, content_type: str) -> None:
    assert fields_of(client.send(body, content_type=content_type)) == {"corpo"}


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/vnd.ms-excel", "text/csv; charset=latin-1", "", None],
)
def test_another_type_is_415(client: ImportClient, content_type: str | None) -> None:
    problem_of(client.send(THREE, content_type=content_type), 415)


def test_a_compressed_body_is_415(client: ImportClient) -> None:
    headers = {**client.header, "Content-Encoding": "gzip"}
    problem_of(client.http.post(IMPORT, data=THREE, content_type="text/csv", headers=headers), 415)


def test_an_empty_body_is_400(client: ImportClient) -> None:
    assert fields_of(client.send(b"")) == {"corpo"}


def test_a_file_larger_than_other_bodies_is_read_up_to_a_limit_of_its_own(
    make_app: Callable[..., Flask],
) -> None:
    file = as_csv(seed_rows(200))
    client = ImportClient(make_app(max_body_bytes=1_024, import_max_bytes=len(file)))
    assert client.send(file).status_code == 200
    assert send_chunked(client.http, file, IMPORT, "text/csv", **client.header).status_code == 200
    for response in (
        client.send(file + b"\n"),
        send_chunked(client.http, file + b"\n", IMPORT, "text/csv", **client.header),
        client.send({"arquivo": part(file)}, content_type=None),
    ):
        assert str(len(file)) in problem_of(response, 413)["detail"]
    problem_of(client.http.post("/api/v1/auth/login", data=b" " * 1_025), 413)


def test_a_large_file_of_a_stranger_is_401(make_app: Callable[..., Flask]) -> None:
    client = make_app(max_body_bytes=1_024).test_client()
    problem_of(client.post(IMPORT, data=b"x" * 100_000, content_type="text/csv"), 401)


def test_more_rows_than_are_read_are_413(client: ImportClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper.csv_table.MAX_ROWS", 2)
    assert "2 linhas" in problem_of(client.send(THREE), 413)["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("?ensaio=sim", "ensaio"), ("?ensaio=", "ensaio"), ("?parcial=2", "parcial"), ("?ensaios=1", "ensaios")],
)
def test_a_parameter_that_is_none_is_400(client: ImportClient, query: str, field: str) -> None:
    assert fields_of(client.send(THREE, query)) == {field}


def test_the_document_shows_both_ways_to_send_a_file(client: ImportClient) -> None:
    described = client.get("/apispec_1.json")["paths"][IMPORT]["post"]
    assert set(described["requestBody"]["content"]) == {"text/csv", FORM}
    assert {"400", "401", "403", "408", "409", "413", "415", "422", "429"} <= set(described["responses"])
    assert {parameter["name"] for parameter in described["parameters"]} == {"ensaio", "parcial"}
