"""A client of the scraping routes."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.shop import Shop
from tests.conftest import ADMIN
from tests.support.runs import join_runs


class ScrapingClient:
    """A logged-in client of one application that runs scrapes to their end."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.shop: Shop = app.extensions["shop"]
        self.http: FlaskClient = app.test_client()
        tokens = self.http.post("/api/v1/auth/login", json=ADMIN).get_json()
        self.header = {"Authorization": f"Bearer {tokens['access_token']}"}

    def trigger(self) -> int:
        return self.http.post("/api/v1/scraping/trigger", headers=self.header).status_code

    def scrape(self) -> dict[str, Any]:
        """Run one scrape to its end and return it as the API shows it."""
        assert self.trigger() == 202
        return self.finish()

    def finish(self) -> dict[str, Any]:
        join_runs("scrape-")
        newest = self.get("/api/v1/scraping/runs")[0]["id"]
        run: dict[str, Any] = self.get(f"/api/v1/scraping/runs/{newest}")
        return run

    def get(self, path: str) -> Any:
        return self.http.get(path, headers=self.header).get_json()

    def everything(self) -> tuple[bytes, bytes, list[Any]]:
        """Return the catalogue as readers, the export and the database have it."""
        with self.shop.database.reading() as session:
            rows = [
                tuple(row)
                for table in ("livros", "catalogo")
                for row in session.execute(text(f"SELECT * FROM {table}"))
            ]
        exported = (self.shop.settings.data_dir / "livros.csv").read_bytes()
        return self.http.get("/api/v1/books").data, exported, rows
