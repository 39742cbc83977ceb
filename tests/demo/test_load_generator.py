from __future__ import annotations

import inspect
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, islice, repeat
from pathlib import Path
from random import Random

import pytest
import requests

from demo.traffic import actors
from demo.traffic.actors import Call
from demo.traffic.load_generator import Pace, ShopClosed, Traffic
from demo.traffic.memory import Book, Memory
from demo.traffic.schedule import ACTORS, SCRAPER, Actor, turns
from demo.traffic.tally import NO_ANSWER, Tally, percentile

ROOT = Path(__file__).parents[2]
FEATURES = {"preco_com_taxa": 20.5, "preco_sem_taxa": 18.0, "disponibilidade": 7}
BOOKS = [{"id": n, "titulo": f"Book {n}", "categoria": "Poetry", **FEATURES} for n in range(3)]


class FakeShop(ThreadingHTTPServer):
    """Gives its `answers` in turn: a status, and what becomes JSON."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.answers: Iterator[tuple[int, object]] = repeat((200, BOOKS))
        self.visited = threading.Event()  # by somebody who wants more than the catalogue
        self.stalls = False
        self.closing = threading.Event()
        self.lock = threading.Lock()  # protects the two below
        self.now = self.most_at_once = 0


class FakeHandler(BaseHTTPRequestHandler):
    server: FakeShop
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        shop = self.server
        with shop.lock:
            shop.now += 1
            shop.most_at_once = max(shop.most_at_once, shop.now)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != actors.BOOKS:
            shop.visited.set()
        if shop.stalls:
            shop.closing.wait(30)
        status, body = next(shop.answers)
        content = json.dumps(body).encode()
        with shop.lock:
            shop.now -= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, *args: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # a client that lost its patience
            self.close_connection = True


@pytest.fixture
def shop() -> Iterator[FakeShop]:
    with FakeShop() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def memory() -> Memory:
    books = tuple(Book(n, f"Some Book of {n}", "Poetry", FEATURES) for n in range(50))
    return Memory("key", "admin", "1234", books=books)


def visit(shop: FakeShop, memory: Memory, *acts: Callable[[Random, Memory], Call]) -> Tally:
    traffic = Traffic(shop.url, memory, Pace(rate=1, seconds=1))
    traffic.welcome(*(Actor(act, 1) for act in acts), chance=Random(1))
    return traffic.tally


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "demo.traffic", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_calls(seed: int, memory: Memory) -> list[tuple[str, str, object]]:
    calls = []
    for actor, chance in islice(turns(ACTORS, seed), 300):
        call = actor.act(chance, memory)
        calls.append((actor.name, call.path, call.query or call.body))
    return calls


def test_a_seed_repeats_the_actors_and_what_they_ask_for() -> None:
    def memory() -> Memory:
        books = (Book(0, "One", "Poetry", FEATURES), Book(1, "Two", "Travel", FEATURES))
        return Memory("key", "admin", "1234", books=books)

    assert first_calls(7, memory()) == first_calls(7, memory())
    assert first_calls(7, memory()) != first_calls(8, memory())


def test_every_actor_is_in_the_cast_and_comes() -> None:
    functions = {
        name
        for name, function in inspect.getmembers(actors, inspect.isfunction)
        if function.__module__ == actors.__name__ and not name.startswith("_")
    }
    cast = {actor.name for actor in (*ACTORS, SCRAPER)}
    assert functions - {"take", "borrow"} == cast
    assert {actor.name for actor, _ in islice(turns((*ACTORS, SCRAPER), 1), 2_000)} == cast


def test_requests_are_sent_at_the_rate_asked_for(shop: FakeShop, memory: Memory) -> None:
    traffic = Traffic(shop.url, memory, Pace(rate=100, seconds=0.5))
    began = time.monotonic()
    traffic.run(ACTORS, seed=1)
    assert time.monotonic() - began >= 49 / 100
    assert traffic.tally.answered + traffic.tally.missed == 50


def test_a_stalled_shop_gets_no_more_requests_than_there_are_threads(shop: FakeShop, memory: Memory) -> None:
    shop.stalls = True
    traffic = Traffic(shop.url, memory, Pace(rate=100, seconds=0.3, threads=3, timeout_s=1.5))
    traffic.run(ACTORS, seed=1)
    assert shop.most_at_once == 3
    assert traffic.tally.missed == 27
    assert sum(counts[NO_ANSWER] for counts in traffic.tally.answers.values()) == 3
    assert traffic.tally.unexpected.total() == 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("visitor")]


def test_an_unexpected_answer_is_reported_with_the_first_example(shop: FakeShop, memory: Memory) -> None:
    shop.answers = iter([(500, {"request_id": "the-first"}), (500, {"request_id": "the-second"})])
    memory.books = memory.books[:1]
    tally = visit(shop, memory, actors.reader, actors.reader)
    assert tally.unexpected == {"reader: GET 500 where 200 or 404 was expected": 2}
    assert "2 x reader: GET 500 where 200 or 404 was expected; the first: /api/v1/books/0" in tally.report()
    assert "the-first" in tally.report()
    assert "the-second" not in tally.report()


def test_an_expected_answer_with_a_wrong_body_is_reported(shop: FakeShop, memory: Memory) -> None:
    shop.answers = repeat((201, {"no": "order"}))
    [what] = visit(shop, memory, actors.buyer).unexpected
    assert "KeyError('order_id')" in what


def test_a_repeated_request_that_places_another_order_is_reported(shop: FakeShop, memory: Memory) -> None:
    shop.answers = iter([(201, {"order_id": "ORDER-1"}), (201, {"order_id": "ORDER-2"})])
    tally = visit(shop, memory, actors.buyer, actors.impatient_buyer)
    assert list(tally.unexpected) == ["impatient_buyer: POST a repeated request placed another order"]


def test_clerks_take_an_order_to_its_end(shop: FakeShop, memory: Memory) -> None:
    shop.answers = chain([(201, {"order_id": "ORDER-1"})], repeat((200, {})))
    tally = visit(shop, memory, actors.buyer, *[actors.clerk] * 40)
    assert not tally.unexpected
    assert not memory.orders


def test_wrong_passwords_stay_below_the_throttle(memory: Memory) -> None:
    calls = [actors.intruder(Random(n), memory) for n in range(100)]
    assert [call.path for call in calls].count(actors.LOGIN) == 1


def test_analysts_ask_about_books_of_the_catalogue_and_seldom_about_others(memory: Memory) -> None:
    asked = [json.loads(actors.analyst(Random(n), memory).body or "") for n in range(100)]
    rows = list(chain(*asked))
    others = [row for row in rows if not row.items() >= FEATURES.items()]
    assert 0 < len(others) < len(rows) / 100, "so few change nothing in what the inputs look like"
    assert {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1} in others
    assert max(row["preco_com_taxa"] for row in others) > 1_000
    assert {"titulo" in row for row in rows} == {True, False}
    assert len(rows) > 2_000, "a shop tells of drift once it has seen 200"


def test_a_prediction_that_is_missing_is_reported(shop: FakeShop, memory: Memory) -> None:
    shop.answers = repeat((200, []))
    assert list(visit(shop, memory, actors.analyst).unexpected) == [
        "analyst: POST 0 predictions for 40 books"
    ]


def test_a_server_that_is_not_the_shop_is_recognised(shop: FakeShop, memory: Memory) -> None:
    for answer, complaint in (((403, {"error": "?"}), "403"), ((200, []), "the catalogue is empty")):
        shop.answers = repeat(answer)
        with pytest.raises(ShopClosed, match=complaint):
            Traffic(shop.url, memory, Pace(rate=1, seconds=1)).open()


def test_the_command_ends_with_a_table_and_0(shop: FakeShop) -> None:
    with start("--url", shop.url, "--rate", "50", "--seconds", "0.4", "--seed", "7") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "missed (late, so not sent): " in out
    assert "browser " in out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_with_a_table_and_0_when_interrupted(shop: FakeShop, how: signal.Signals) -> None:
    with start("--url", shop.url, "--rate", "50", "--seconds", "inf") as process:
        assert shop.visited.wait(20)
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "missed (late, so not sent): " in out


def test_the_command_ends_with_1_where_nobody_answers() -> None:
    with FakeShop() as closed:
        url = closed.url
    with start("--url", url, "--seconds", "0.2") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err == f"{url} does not answer: ConnectionError\n"


def test_percentiles_are_by_nearest_rank() -> None:
    seconds = [each / 1_000 for each in range(1, 101)]
    assert [percentile(seconds, 50), percentile(seconds, 95), percentile([], 50)] == [50, 95, 0]


def test_a_call_through_requests_has_a_timeout(
    shop: FakeShop, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    send = requests.Session.request

    def request(self: requests.Session, *args: object, **kwargs: object) -> requests.Response:
        seen.append(kwargs["timeout"])
        return send(self, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "request", request)
    visit(shop, memory, *(actor.act for actor in ACTORS))
    assert seen == [10.0] * len(ACTORS)
