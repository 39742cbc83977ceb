from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.test_simulation import OFF, RATES, SIMULATION
from tests.support.checks import fields_of, problem_of
from tests.support.orders import API_KEY

NO_RATES = ["-0.1", "1.1", "2", "-1", "1" + "0" * 400, '"0.5"', "true", "null", "[]", "{}", "1.0000001"]
NOT_FINITE = ["NaN", "Infinity", "-Infinity", "1e400"]
NOT_JSON = ["0,5", ".5"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_only_an_admin_sets_the_simulation(
    client: FlaskClient, as_operator: dict[str, str], method: str
) -> None:
    problem_of(client.open(SIMULATION, method=method, json={}), 401)
    problem_of(client.open(SIMULATION, method=method, json={}, headers=API_KEY), 401)
    problem_of(client.open(SIMULATION, method=method, json={}, headers=as_operator), 403)


@pytest.mark.parametrize("rate", NO_RATES)
def test_a_rate_is_a_number_from_0_to_1(client: FlaskClient, as_admin: dict[str, str], rate: str) -> None:
    body = "{" + ", ".join(f"{json.dumps(name)}: {rate}" for name in RATES) + "}"
    response = client.put(SIMULATION, data=body, content_type="application/json", headers=as_admin)
    assert fields_of(response) == set(RATES)


@pytest.mark.parametrize(
    ("rate", "field"),
    [*[(rate, "taxa_lentidao") for rate in NOT_FINITE], *[(rate, "corpo") for rate in NOT_JSON]],
)
def test_what_is_no_json_number_is_no_rate(
    client: FlaskClient, as_admin: dict[str, str], rate: str, field: str
) -> None:
    body = f'{{"taxa_lentidao": {rate}}}'
    response = client.put(SIMULATION, data=body, content_type="application/json", headers=as_admin)
    assert fields_of(response) == {field}


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        ({"latencia_pagamento_ms": -1}, {"latencia_pagamento_ms"}),
        ({"latencia_pagamento_ms": 60_001}, {"latencia_pagamento_ms"}),
        ({"latencia_pagamento_ms": 1.0}, {"latencia_pagamento_ms"}),
        ({"latencia_pagamento_ms": None}, {"latencia_pagamento_ms"}),
        ({"lentidao_ms": "5"}, {"lentidao_ms"}),
        ({"lentidao_ms": True}, {"lentidao_ms"}),
        ({"semente": -1}, {"semente"}),
        ({"semente": 2**31}, {"semente"}),
        ({"semente": 0.5}, {"semente"}),
        ({"semente": "7"}, {"semente"}),
        ({"taxa": 0.5}, {"taxa"}),
        ({"payment_denied_rate": 0.5}, {"payment_denied_rate"}),
        ([], {"corpo"}),
        (None, {"corpo"}),
        ({"taxa_lentidao": 2, "semente": -1, "x": 1}, {"taxa_lentidao", "semente", "x"}),
    ],
)
def test_bad_fault_are_refused_by_name_and_change_nothing(
    client: FlaskClient, as_admin: dict[str, str], settings: Any, fields: set[str]
) -> None:
    assert fields_of(client.put(SIMULATION, json=settings, headers=as_admin)) == fields
    assert client.get(SIMULATION, headers=as_admin).get_json() == OFF
