"""Sends requests to the shop at a pace of their own: see Traffic."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import requests

from demo.traffic.actors import BOOKS, Call
from demo.traffic.memory import Memory
from demo.traffic.schedule import Actor, turns
from demo.traffic.tally import NO_ANSWER, Tally

REPORT_EVERY_S = 5.0
LATE_S = 0.5  # a request this far behind its time isn't sent any more
OPENS_WITHIN_S = 10.0


class ShopClosed(Exception):
    """The shop gave no answer, or not its own."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`seconds` may be infinite. No more than `threads` requests wait for an answer at once."""

    rate: float
    seconds: float
    threads: int = 32
    timeout_s: float = 10.0


class Traffic:
    """Sends calls at a pace. The threads share the memory and the tally, which say how they are protected.

    `_idle` counts the threads that wait for a turn, so that `_turns` never holds more than they can take.
    """

    def __init__(self, url: str, memory: Memory, pace: Pace) -> None:
        self.tally = Tally()
        self._url = url.rstrip("/")
        self._memory = memory
        self._pace = pace
        self._idle = threading.Semaphore(pace.threads)
        self._turns: queue.SimpleQueue[tuple[Actor, Random] | None] = queue.SimpleQueue()

    def open(self) -> None:
        """Wait for the shop and read its catalogue, which every actor counts on. Raises ShopClosed."""
        deadline = time.monotonic() + min(OPENS_WITHIN_S, self._pace.seconds)
        with _session() as session:
            while True:
                try:
                    answer = session.get(self._url + BOOKS, timeout=self._pace.timeout_s)
                    break
                except requests.RequestException as error:
                    if time.monotonic() > deadline:
                        raise ShopClosed(f"{self._url} does not answer: {type(error).__name__}") from None
                time.sleep(0.1)
        try:
            complaint = self._memory.learn(answer)
        except (ValueError, TypeError, KeyError):
            complaint = f"{BOOKS} is {answer.status_code} and no catalogue: is it another program?"
        if complaint:
            raise ShopClosed(f"{self._url} answers, but {complaint}")

    def welcome(self, *actors: Actor, chance: Random) -> None:
        """Have these come, one after the other."""
        with _session() as session:
            for actor in actors:
                self.perform(session, actor, chance)

    def run(self, cast: Sequence[Actor], seed: int | None = None) -> None:
        """Send calls until the time is over, or until KeyboardInterrupt, which it lets pass."""
        threads = [
            threading.Thread(target=self._take_turns, name=f"visitor-{n}", daemon=True)
            for n in range(self._pace.threads)
        ]
        for thread in threads:
            thread.start()
        try:
            self._hand_out_turns(cast, seed)
        finally:
            for _ in threads:
                self._turns.put(None)
            patience = time.monotonic() + self._pace.timeout_s + 1
            for thread in threads:
                thread.join(max(0.0, patience - time.monotonic()))

    def perform(self, session: requests.Session, actor: Actor, chance: Random) -> None:
        """One call, counted."""
        call = actor.act(chance, self._memory)
        began = time.monotonic()
        try:
            answer = self._send(session, call)
        except requests.RequestException as error:
            self.tally.count_answer(actor.name, NO_ANSWER, time.monotonic() - began)
            what = f"{actor.name}: {call.method} without an answer ({type(error).__name__})"
            self.tally.count_unexpected(what, call.path)
            return
        self.tally.count_answer(actor.name, answer.status_code, time.monotonic() - began)
        complaint = f"{answer.status_code} where {_either(call.expected)} was expected"
        if answer.status_code in call.expected:
            try:
                complaint = call.then(answer)
            except (ValueError, TypeError, KeyError) as error:
                complaint = f"{answer.status_code} with a body that is not right ({error!r})"
        if complaint:
            example = f"{call.path} {dict(call.query) or ''} -> {answer.text[:300]}"
            self.tally.count_unexpected(f"{actor.name}: {call.method} {complaint}", example)

    def _hand_out_turns(self, cast: Sequence[Actor], seed: int | None) -> None:
        began = time.monotonic()
        report_at = began + REPORT_EVERY_S
        for number, turn in enumerate(turns(cast, seed)):
            due = began + number / self._pace.rate
            if due >= began + self._pace.seconds:
                return
            while report_at <= due:
                _sleep_until(report_at)
                sys.stdout.write(f"{self.tally.line(report_at - began)}\n")
                sys.stdout.flush()
                report_at += REPORT_EVERY_S
            _sleep_until(due)
            if time.monotonic() - due < LATE_S and self._idle.acquire(blocking=False):
                self._turns.put(turn)
            else:
                self.tally.count_missed()

    def _take_turns(self) -> None:
        with _session() as session:
            while (turn := self._turns.get()) is not None:
                try:
                    self.perform(session, *turn)
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
            timeout=self._pace.timeout_s,
            allow_redirects=False,
        )


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, and no password from ~/.netrc
    session.headers["User-Agent"] = "livraria-demo-traffic"
    return session


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _either(statuses: Sequence[int]) -> str:
    return " or ".join(map(str, statuses))
