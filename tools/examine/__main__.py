"""Examine a running shop: `make examine`, or `python -m tools.examine [URL]`.

Makes the 15 calls of the statement of the "Tech Challenge", those of the two seed systems (S0: orders and monitoring,
S1: bookstore) and 200 misspelt ones, checks status, keys, types and facts, and prints a line for each. The exit code
is 1 if one is wrong. It leaves a user (`examinador-...`), a cancelled order and a cancelled scrape behind.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import requests

from environment import read_environment
from tools.examine import seeds, statement
from tools.examine.checks import ExaminedCall
from tools.examine.visit import FAULTS, Visit, Wrong

ROOT = Path(__file__).parents[2]
CALLS = (*statement.CALLS, *seeds.CALLS)


def examine(visit: Visit, calls: Iterable[ExaminedCall] = CALLS) -> Iterator[tuple[ExaminedCall, str, bool]]:
    """Make each call in turn; yield it with what was seen, and whether that is right."""
    for call in calls:
        try:
            yield call, _check(visit, call), True
        except FAULTS as error:
            text = str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
            yield call, text, False


def _check(visit: Visit, call: ExaminedCall) -> str:
    try:
        return call.check(visit)
    except FAULTS:
        if not call.repeatable:
            raise
        statement.books(
            visit
        )  # a catalogue published since the books were read is no fault: read them again, once
        return call.check(visit)


def main(arguments: list[str] | None = None, session: requests.Session | None = None) -> int:
    settings = read_environment(ROOT / ".env")
    parser = argparse.ArgumentParser(prog="python -m tools.examine", description="Examines a running shop.")
    add = parser.add_argument
    add("url", nargs="?", default="http://localhost:5000", help="default: %(default)s")
    for option, name, sample in (
        ("--username", "", "admin"),
        ("--password", "ADMIN_PASSWORD", "1234"),
        ("--api-key", "API_KEY_REQUIRED", "minha_chave_secreta_empresa"),
        ("--metrics-token", "METRICS_TOKEN", ""),
    ):
        add(option, default=settings.get(name) or sample, help=f"{name or 'default'}, or {sample or 'none'}")
    options = vars(parser.parse_args(arguments))
    visit = Visit(options.pop("url").rstrip("/"), **options)
    if session is not None:
        visit.session = session
    visit.session.trust_env = False  # no proxy, and no password from ~/.netrc
    wrong = 0
    began = time.monotonic()
    for call, seen, right in examine(visit):
        took_ms = (time.monotonic() - began) * 1_000
        wrong += not right
        word = "certo" if right else "ERRADO"
        _say(f"{word:<7}{call.source:<10}{call.method:<5}{call.route:<42}{took_ms:6.0f} ms  {seen}")
        began = time.monotonic()
    _say(f"{len(CALLS)} chamadas, {len(CALLS) - wrong} certas, {wrong} erradas")
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
