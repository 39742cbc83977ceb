from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask


@pytest.mark.parametrize("path", ["/" + "a" * 1_100, "/api/v1/books/search?titulo=" + "a" * 1_100])
def test_an_address_over_the_limit_is_refused_in_the_usual_shape(
    make_app: Callable[..., Flask], path: str
) -> None:
    client = make_app(max_url_bytes=1_024).test_client()
    refused = client.get(path)
    assert refused.status_code == 414
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json()["error_type"] == "uri_too_long"


def test_an_address_within_the_limit_is_served(make_app: Callable[..., Flask]) -> None:
    client = make_app(max_url_bytes=1_024).test_client()
    assert client.get("/" + "a" * 1_000).status_code == 404
