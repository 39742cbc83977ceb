from __future__ import annotations

import threading
import time
from itertools import repeat
from typing import Any

import pytest
import requests

from demo.traffic import actors
from demo.traffic.load_generator import LoadGenerator, LoadOptions, ShopClosed
from demo.traffic.memory import Memory
from demo.traffic.schedule import ACTORS
from demo.traffic.tally import NO_RESPONSE
from tests.demo.conftest import Visit
from tests.support.fake_shop import FakeShop


def test_requests_are_sent_at_the_rate_asked_for(api: FakeShop, memory: Memory) -> None:
    generator = LoadGenerator(api.url, memory, LoadOptions(rate=100, seconds=0.5))
    began = time.monotonic()
    generator.run(ACTORS, seed=1)
    assert time.monotonic() - began >= 49 / 100
    assert generator.tally.responses + generator.tally.missed == 50


def test_a_stalled_shop_gets_no_more_requests_than_there_are_threads(api: FakeShop, memory: Memory) -> None:
    api.stalls = True
    options = LoadOptions(rate=100, seconds=0.3, threads=3, timeout_s=1.5)
    generator = LoadGenerator(api.url, memory, options)
    generator.run(ACTORS, seed=1)
    tally = generator.tally
    assert api.max_in_flight == 3
    assert tally.missed == 27
    assert sum(counts[NO_RESPONSE] for counts in tally.statuses.values()) == 3
    assert tally.unexpected.total() == 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("visitor")]


def test_an_unexpected_response_is_reported_with_the_first_example(
    api: FakeShop, memory: Memory, visit: Visit
) -> None:
    api.responses = iter([(500, {"request_id": "the-first"}), (500, {"request_id": "the-second"})])
    memory.books = memory.books[:1]
    tally = visit(actors.reader, actors.reader)
    assert tally.unexpected == {"reader: GET 500 where 200 or 404 was expected": 2}
    assert "2 x reader: GET 500 where 200 or 404 was expected; the first: /api/v1/books/0" in tally.report()
    assert "the-first" in tally.report()
    assert "the-second" not in tally.report()


def test_an_expected_response_with_a_wrong_body_is_reported(api: FakeShop, visit: Visit) -> None:
    api.responses = repeat((201, {"no": "order"}))
    [problem] = visit(actors.buyer).unexpected
    assert "KeyError('order_id')" in problem


def test_a_server_that_is_not_the_shop_is_recognised(api: FakeShop, memory: Memory) -> None:
    for response, problem in (((403, {"error": "?"}), "403"), ((200, []), "the catalogue is empty")):
        api.responses = repeat(response)
        with pytest.raises(ShopClosed, match=problem):
            LoadGenerator(api.url, memory, LoadOptions(rate=1, seconds=1)).open()


def test_a_call_through_requests_has_a_timeout(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = []
    send = requests.Session.request

    def request(self: requests.Session, *args: Any, **options: Any) -> requests.Response:
        timeouts.append(options["timeout"])
        return send(self, *args, **options)

    monkeypatch.setattr(requests.Session, "request", request)
    visit(*(actor.act for actor in ACTORS))
    assert timeouts == [10.0] * len(ACTORS)
