from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.settings import SAMPLE_API_KEY
from tests.support.checks import problem_of
from tools.examine.slips import misspellings, query_names

AS_BUYER = {"X-API-Key": SAMPLE_API_KEY}


def messages_of(client: FlaskClient, address: str, **sent: Any) -> dict[str, str]:
    errors = problem_of(client.get(address, **sent), 400)["errors"]
    return {error["field"]: error["message"] for error in errors}


def test_two_hundred_slips_are_refused_and_each_right_name_is_proposed(
    client: FlaskClient, as_admin: dict[str, str]
) -> None:
    slips = misspellings(client.get("/apispec_1.json").get_json(), 200)
    assert len(set(slips)) == 200
    for path, name, meant in slips:
        address = f"{re.sub('{.*?}', '0', path)}?{quote(name)}=1"
        told = messages_of(client, address, headers=as_admin | AS_BUYER)
        assert told[name] == f"não é conhecido; você quis dizer `{meant}`?", address


def test_the_slips_are_of_every_parameter_of_every_get_route_and_the_same_ones_again(
    reader: FlaskClient,
) -> None:
    document = reader.get("/apispec_1.json").get_json()
    slips = misspellings(document, 200)
    parameters = {(path, name) for path, names in query_names(document).items() for name in names}
    assert {(slip.path, slip.meant) for slip in slips} == parameters
    assert slips == misspellings(document, 200)


def test_a_known_name_is_never_unknown(client: FlaskClient, as_admin: dict[str, str]) -> None:
    for path, names in query_names(client.get("/apispec_1.json").get_json()).items():
        address = re.sub("{.*?}", "0", path)
        for name in names:
            response = client.get(address, query_string={name: "1"}, headers=as_admin | AS_BUYER)
            assert "não é conhecido" not in response.get_data(as_text=True), (path, name)


def test_where_none_is_near_the_known_ones_are_listed(reader: FlaskClient) -> None:
    told = messages_of(reader, "/api/v1/books?q=x")
    assert told == {
        "q": "não é conhecido; os conhecidos são `em`, `formato`, `page`, `per_page`, `sort`, `order`"
    }


def test_a_route_without_parameters_says_so(reader: FlaskClient) -> None:
    told = messages_of(reader, "/api/v1/scraping/status?page=1")
    assert told == {"page": "não é conhecido; esta rota não tem parâmetros"}
    told = messages_of(reader, "/metrics?page=1")
    assert told == {"page": "não é conhecido; esta rota não tem parâmetros"}


@pytest.mark.parametrize("address", ["/apidocs/", "/apispec_1.json", "/static/inicio.css"])
def test_pages_and_files_read_no_query_and_ignore_it(reader: FlaskClient, address: str) -> None:
    assert reader.get(f"{address}?v=2").status_code == reader.get(address).status_code


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_an_unknown_name_comes_back_short_and_without_control_characters(
    reader: FlaskClient, name: str
) -> None:
    if name in ("page", "per_page", "sort", "order"):
        return
    problem = problem_of(reader.get(f"/api/v1/books?{quote(name, safe='')}=1"), 400)
    (error,) = problem["errors"]
    assert len(error["field"]) <= 80
    assert len(error["message"]) <= 100
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", error["field"] + error["message"] + problem["detail"])


def test_many_unknown_names_cost_five_comparisons(reader: FlaskClient) -> None:
    told = messages_of(reader, "/api/v1/books?" + "&".join(f"pagee{number}=1" for number in range(50)))
    assert len(told) == 50
    assert sum("você quis dizer `page`?" in message for message in told.values()) == 5
