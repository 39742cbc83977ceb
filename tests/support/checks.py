"""What several subjects check about answers."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

MEMBERS = {"type", "title", "status", "detail", "error", "error_type", "request_id"}
ORDER_MEMBERS = {"success", "message"}


def problem_of(response: TestResponse, status: int) -> dict[str, Any]:
    """The body of an error answer, after checking that it has the one shape of errors."""
    assert response.status_code == status, response.get_data(as_text=True)[:300]
    assert response.mimetype == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers
    body: dict[str, Any] = response.get_json()
    of_orders = f"{response.request.path}/".startswith("/orders/")
    assert set(body) - {"errors"} == MEMBERS | (ORDER_MEMBERS if of_orders else set())
    if of_orders:
        assert body["success"] is False
        assert body["message"] == body["detail"]
    assert body["status"] == status
    assert body["error"] == body["detail"] != ""
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


def fields_of(response: TestResponse) -> set[str]:
    """The fields that a 400 complains about."""
    errors: list[dict[str, str]] = problem_of(response, 400)["errors"]
    assert all(error["message"] for error in errors)
    return {error["field"] for error in errors}
