from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.observability.logs.files import log_path
from app.shop import Shop
from tests.support.checks import problem_of
from tests.support.log_lines import log, make_line, numbers

LOGS = "/api/v1/logs"
NDJSON = "application/x-ndjson"


@pytest.fixture
def follower(app: Flask) -> FlaskClient:
    """A client that doesn't wait for the end of a response."""
    app.test_client_class = FlaskClient
    return app.test_client()


def test_a_tail_sends_what_there_is_and_then_what_is_written(follower: FlaskClient, shop: Shop) -> None:
    log(shop, *range(3))
    log(shop, 3, levelname="ERROR")
    response = follower.get(f"{LOGS}?tail=true&format=ndjson&levelname=INFO&limit=2")
    assert response.mimetype == NDJSON
    parts = response.iter_encoded()
    assert numbers(next(parts).splitlines()) == [1, 2]
    log(shop, 4, levelname="ERROR")
    log(shop, 5)
    assert numbers(next(parts).splitlines()) == [5]
    path = log_path(shop.settings.data_dir)
    path.rename(path.with_name("app.jsonl.1"))
    log(shop, 6)
    assert numbers(next(parts).splitlines()) == [6]
    response.close()


def test_a_tail_ends_with_its_time_and_with_the_shop(follower: FlaskClient, shop: Shop) -> None:
    log(shop, 0)
    shop.log_tails.duration_s = 0
    assert len(follower.get(f"{LOGS}?tail=true&format=ndjson").data.splitlines()) == 1
    shop.log_tails.duration_s = 3_600
    shop.log_tails.stop()
    assert len(follower.get(f"{LOGS}?tail=true&format=ndjson").data.splitlines()) == 1


def test_few_clients_may_follow_at_once_and_one_that_leaves_makes_room(follower: FlaskClient) -> None:
    tail = f"{LOGS}?tail=true&format=ndjson"
    streams = [follower.get(tail) for _ in range(4)]
    assert [stream.status_code for stream in streams] == [200] * 4
    refused = follower.get(tail)
    assert refused.headers["Retry-After"]
    problem_of(refused, 429)
    assert follower.get(LOGS).status_code == 200
    streams[0].close()
    streams[0].close()  # however often
    streams += [follower.get(tail), follower.get(tail)]
    assert [stream.status_code for stream in streams[4:]] == [200, 429]
    for stream in streams[1:]:
        stream.close()


def test_a_tail_is_logged_when_it_ends_with_all_it_sent(
    follower: FlaskClient, shop: Shop, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    log(shop, 0)
    response = follower.get(f"{LOGS}?tail=true&format=ndjson", headers={"X-Request-ID": "r-1"})
    next(response.iter_encoded())
    assert log_lines() == []
    response.close()
    (line,) = log_lines()
    assert (line["request_id"], line["route"], line["bytes"]) == ("r-1", LOGS, len(make_line(0)) + 1)


def test_a_head_request_takes_no_place(follower: FlaskClient) -> None:
    for _ in range(10):
        with follower.head(f"{LOGS}?tail=true&format=ndjson") as response:
            assert response.status_code == 200
