"""`/livez` and `/readyz`, and what a process that ends tells its clients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.services import health
from app.shop import Shop
from app.storage.catalogue_store import NothingPublished


def test_a_process_that_serves_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/livez").get_json() == {"status": "alive"}
    assert client.get("/readyz").get_json() == {"status": "ready"}


def test_a_process_that_ends_is_alive_and_not_ready(client: FlaskClient, shop: Shop) -> None:
    shop.draining.set()
    refused = client.get("/readyz")
    assert refused.status_code == 503
    assert refused.get_json()["detail"] == "O processo está terminando."
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/books/5", "/orders/ORDER-1", "/livez"])
def test_a_process_that_ends_sends_its_clients_away(client: FlaskClient, shop: Shop, path: str) -> None:
    client.get(path)
    assert "Connection" not in client.get(path).headers
    shop.draining.set()
    assert client.get(path).headers["Connection"] == "close"


def test_a_process_without_its_database_is_alive_and_not_ready(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("no such host"))

    monkeypatch.setattr(health, "_look", fail)
    client = make_app().test_client()
    refused = client.get("/readyz")
    assert refused.status_code == 503
    assert refused.get_json()["detail"] == "O banco de dados não responde."
    assert client.get("/livez").status_code == 200


def test_a_process_without_a_catalogue_is_not_ready(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise NothingPublished

    monkeypatch.setattr(shop.catalogue, "current", fail)
    assert client.get("/readyz").get_json()["detail"] == "O catálogo não foi carregado."
