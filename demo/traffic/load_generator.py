"""Requests to the shop at a constant rate: see LoadGenerator."""

import queue
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import requests

from demo.traffic.actors import BOOKS
from demo.traffic.call import Call
from demo.traffic.memory import Memory
from demo.traffic.schedule import Actor, schedule
from demo.traffic.tally import NO_RESPONSE, Tally

REPORT_EVERY_S = 5.0
LATE_S = 0.5
"""A request this far behind its time is not sent."""
OPEN_TIMEOUT_S = 10.0


class ShopClosed(Exception):
    """The shop did not respond, or another program did."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """`rate` is in requests a second; `seconds` may be infinite; `threads` bounds the requests in flight."""

    rate: float
    seconds: float
    threads: int = 32
    timeout_s: float = 10.0


class LoadGenerator:
    """Send calls at a constant rate, even if the shop does not keep up.

    The threads share the memory and the tally, which say how they are protected. `_idle` counts the threads that
    wait for a call, so that `_queue` never holds more than they can take.
    """

    def __init__(self, url: str, memory: Memory, options: LoadOptions) -> None:
        self.tally = Tally()
        self._url = url.rstrip("/")
        self._memory = memory
        self._options = options
        self._idle = threading.Semaphore(options.threads)
        self._queue: queue.SimpleQueue[tuple[Actor, Random] | None] = queue.SimpleQueue()

    def open(self) -> None:
        """Wait for the shop and read its catalogue, which the actors need. Raises ShopClosed."""
        deadline = time.monotonic() + min(OPEN_TIMEOUT_S, self._options.seconds)
        with _session() as session:
            while True:
                try:
                    response = session.get(self._url + BOOKS, timeout=self._options.timeout_s)
                    break
                except requests.RequestException as error:
                    if time.monotonic() > deadline:
                        raise ShopClosed(f"{self._url} does not answer: {type(error).__name__}") from None
                time.sleep(0.1)
        try:
            problem = self._memory.learn(response)
        except (ValueError, TypeError, KeyError):
            problem = f"{BOOKS} is {response.status_code} and no catalogue: is it another program?"
        if problem:
            raise ShopClosed(f"{self._url} answers, but {problem}")

    def visit(self, *actors: Actor, rng: Random) -> None:
        """Make one call for each of `actors`, in turn."""
        with _session() as session:
            for actor in actors:
                self.perform(session, actor, rng)

    def run(self, cast: Sequence[Actor], seed: int | None = None) -> None:
        """Send calls until the time is over. Raises KeyboardInterrupt, once the threads have ended."""
        threads = [
            threading.Thread(target=self._work, name=f"visitor-{n}", daemon=True)
            for n in range(self._options.threads)
        ]
        for thread in threads:
            thread.start()
        try:
            self._enqueue(cast, seed)
        finally:
            for _ in threads:
                self._queue.put(None)
            deadline = time.monotonic() + self._options.timeout_s + 1
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))

    def perform(self, session: requests.Session, actor: Actor, rng: Random) -> None:
        """Make one call and count its outcome."""
        call = actor.act(rng, self._memory)
        began = time.monotonic()
        try:
            response = self._send(session, call)
        except requests.RequestException as error:
            self.tally.count_response(actor.name, NO_RESPONSE, time.monotonic() - began)
            problem = f"{actor.name}: {call.method} without an answer ({type(error).__name__})"
            self.tally.count_unexpected(problem, call.path)
            return
        self.tally.count_response(actor.name, response.status_code, time.monotonic() - began)
        if problem := _problem(call, response):
            example = f"{call.path} {dict(call.query) or ''} -> {response.text[:300]}"
            self.tally.count_unexpected(f"{actor.name}: {call.method} {problem}", example)

    def _enqueue(self, cast: Sequence[Actor], seed: int | None) -> None:
        began = time.monotonic()
        report_at = began + REPORT_EVERY_S
        for number, visit in enumerate(schedule(cast, seed)):
            due = began + number / self._options.rate
            if due >= began + self._options.seconds:
                return
            while report_at <= due:
                _sleep_until(report_at)
                sys.stdout.write(f"{self.tally.line(report_at - began)}\n")
                sys.stdout.flush()
                report_at += REPORT_EVERY_S
            _sleep_until(due)
            if time.monotonic() - due < LATE_S and self._idle.acquire(blocking=False):
                self._queue.put(visit)
            else:
                self.tally.count_missed()

    def _work(self) -> None:
        with _session() as session:
            while (visit := self._queue.get()) is not None:
                try:
                    self.perform(session, *visit)
                finally:
                    self._idle.release()

    def _send(self, session: requests.Session, call: Call) -> requests.Response:
        headers = dict(call.headers)
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return session.request(
            call.method,
            self._url + call.path,
            params=call.query,
            data=call.body.encode() if call.body is not None else None,
            headers=headers,
            timeout=self._options.timeout_s,
            allow_redirects=False,
        )


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, and no password from ~/.netrc
    session.headers["User-Agent"] = "livraria-demo-traffic"
    return session


def _sleep_until(due: float) -> None:
    time.sleep(max(0.0, due - time.monotonic()))


def _problem(call: Call, response: requests.Response) -> str:
    """Say what is wrong with the response; "" if nothing is."""
    if response.status_code not in call.expected:
        return f"{response.status_code} where {' or '.join(map(str, call.expected))} was expected"
    try:
        return call.check(response)
    except (ValueError, TypeError, KeyError) as error:
        return f"{response.status_code} with a body that is not right ({error!r})"
