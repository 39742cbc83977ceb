"""Which ids of clients are taken over: they are logged and answered, and a header may hold a secret by mistake."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    "usual",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "550E8400-E29B-41D4-A716-446655440000",
        "5f0c6a8e2b7d4c1e",
        "5f0c6a8e2b7d4c1e9a3f5f0c6a8e2b7d",
        "5f0c6a8e2b7d4c1e9a3f5f0c6a8e2b7d5f0c6a8e2b7d4c1e9a3f5f0c6a8e2b7d",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "r-1",
        "crash-1",
        "req-12345",
        "req-12345-7",
        "shop-5f0c6a8e-2",
    ],
)
def test_an_id_of_a_usual_form_is_used(client: FlaskClient, usual: str) -> None:
    response = client.get("/nowhere", headers={"X-Request-ID": usual})
    assert response.headers["X-Request-ID"] == response.get_json()["request_id"] == usual


@pytest.mark.parametrize(
    "unusual",
    [
        "Kanario-Senha77x",
        "Kanario77",
        "hunter2",
        "hunter-two",
        "1234",
        "dead-beef",
        "ORDER-7Q3EXAMPLEEXAMPLEEXAMPLE7Q",
        "4111111111111111",
        "4111-1111-1111-1111",
        "card-4111-1111-1111-1111",
        "5f0c6a8e2b7d4c1",
        "r-" + "1" * 63,
        "req-12345\u00e7",
    ],
)
def test_any_other_text_is_replaced(client: FlaskClient, unusual: str) -> None:
    response = client.get("/nowhere", headers={"X-Request-ID": unusual.encode().decode("latin-1")})
    assert response.headers["X-Request-ID"] != unusual
    assert len(response.headers["X-Request-ID"]) == 32
    assert unusual not in response.text
