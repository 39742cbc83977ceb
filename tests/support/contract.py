"""A test client that checks every response against the OpenAPI document."""

from __future__ import annotations

import csv
import gzip
import json
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS30Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app.web.openapi import path_of

_OPTIONAL_HEADERS = {"Link", "RateLimit", "RateLimit-Policy"}
"""A list that is not paged has no Link; a 429 of too many followers of the log is of no rate limit."""


class ContractClient(FlaskClient):
    """Raises AssertionError where the response of a described route differs from the document."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        check_response(self.application, response)
        return response


def check_response(app: Flask, response: TestResponse) -> None:
    """Compare status, media type, headers and body of `response` with the document."""
    request = response.request
    assert response.headers.get("X-Request-ID"), "every response carries its request id"
    operation = _operation(app, request.path, request.method)
    if operation is None:
        if response.status_code >= 400:
            _check_body(app, response, {"$ref": "#/components/schemas/Problem"}, "application/problem+json")
        return
    described = operation["responses"]
    status = str(response.status_code)
    assert status in described, (
        f"the response of {request.method} {request.path} is {status}, described are {sorted(described)}"
    )
    description = _resolve(_document(app), described[status])
    for name in description.get("headers", {}):
        if name not in _OPTIONAL_HEADERS:
            assert name in response.headers, f"{name} is described but missing"
    content: dict[str, Any] | None = description.get("content")
    if content is None:
        assert not response.data
    elif request.method != "HEAD" and response.mimetype != "text/html":
        media_type = next((name for name in content if name == response.mimetype), next(iter(content)))
        _check_body(app, response, content[media_type]["schema"], media_type)
        if media_type == "text/csv":
            _check_columns(app, response, content["application/json"]["schema"]["items"])


def _check_body(app: Flask, response: TestResponse, schema: dict[str, Any], media_type: str) -> None:
    assert response.mimetype == media_type
    if response.request.method == "HEAD":
        return
    compressed = response.headers.get("Content-Encoding") == "gzip"
    data = gzip.decompress(response.data) if compressed else response.data
    body = (
        data.decode()
        if media_type in ("text/plain", "text/csv", "application/x-ndjson")
        else json.loads(data)
    )
    root = {**schema, "components": _document(app)["components"]}
    problems = [error.message for error in OAS30Validator(root).iter_errors(body)]
    assert not problems, problems[:3]
    if isinstance(body, dict) and "$ref" in schema:
        known = _resolve(_document(app), schema)["properties"]
        undescribed = set(body) - set(known)
        assert not undescribed, f"keys that the document doesn't know: {undescribed}"


def _check_columns(app: Flask, response: TestResponse, items: dict[str, Any]) -> None:
    compressed = response.headers.get("Content-Encoding") == "gzip"
    data = gzip.decompress(response.data) if compressed else response.data
    header = next(csv.reader(data.decode().splitlines()))
    assert header == list(_resolve(_document(app), items)["properties"])


def _operation(app: Flask, path: str, method: str) -> dict[str, Any] | None:
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method=method, return_rule=True)
    except HTTPException:
        return None
    paths = _document(app)["paths"]
    operation: dict[str, Any] | None = paths.get(path_of(rule), {}).get(method.lower().replace("head", "get"))
    return operation


def _document(app: Flask) -> dict[str, Any]:
    document: dict[str, Any] = app.swag.template  # type: ignore[attr-defined]
    return document


def _resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node
