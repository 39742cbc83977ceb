"""A client of the imports, and what they leave."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.support.books import make_scraped
from tests.support.scraping_client import ScrapingClient

IMPORT = "/api/v1/books/import"
PUBLIC = (
    "/api/v1/books",
    "/api/v1/books?page=2&per_page=7&sort=titulo",
    "/api/v1/books/3",
    "/api/v1/books/search?titulo=the",
    "/api/v1/books/price-range?min=10&max=40",
    "/api/v1/books/top-rated",
    "/api/v1/categories",
    "/api/v1/stats/overview",
    "/api/v1/stats/categories",
    "/api/v1/ml/features",
    "/api/v1/ml/training-data",
)
MANY = [make_scraped(f"{place:03}", title=f"Book {place}", stock=5 + place % 20) for place in range(100)]


class ImportClient(ScrapingClient):
    """A logged-in client of one application that imports files."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)

    def send(
        self, data: bytes | dict[str, Any], query: str = "", content_type: str | None = "text/csv"
    ) -> TestResponse:
        return self.http.post(f"{IMPORT}{query}", data=data, content_type=content_type, headers=self.header)

    def load(self, data: bytes, query: str = "") -> dict[str, Any]:
        """Import a file that is accepted."""
        response = self.send(data, query)
        assert response.status_code == 200, response.get_data(as_text=True)[:500]
        report: dict[str, Any] = response.get_json()
        return report

    def refusal(self, response: TestResponse, status: int) -> dict[str, Any]:
        """Return the body of an error that names the faults of a file."""
        assert response.status_code == status, response.get_data(as_text=True)[:500]
        assert response.mimetype == "application/problem+json"
        body: dict[str, Any] = response.get_json()
        assert body["error"] == body["detail"]
        return body

    def pages(self) -> list[tuple[bytes, str]]:
        """Return what every public route of the catalogue serves, with its ETag."""
        responses = [self.http.get(path) for path in PUBLIC]
        assert {response.status_code for response in responses} == {200}
        return [(response.data, response.headers["ETag"]) for response in responses]

    def rows(self) -> list[dict[str, Any]]:
        """Return every book that was ever on sale, whole."""
        with self.shop.database.reading() as session:
            return [dict(row) for row in session.execute(text("SELECT * FROM livros ORDER BY id")).mappings()]
