"""Rate limits: writes, reads and runs of a client, and failed logins."""

import functools
import hashlib
import math
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import Any
from wsgiref.types import WSGIEnvironment

from flask import Flask, Response, after_this_request, request
from limits.storage import Storage

from app.core.errors import ShopError, Unauthenticated
from app.settings import Settings
from app.web.access import claimed_login_id, is_api_key
from app.web.body_guard import ServerBusy
from app.web.clients import client_of
from app.web.endpoint import ATTRIBUTE, operation, operation_of
from app.web.error_handlers import problem
from app.web.parsing import json_body
from app.web.rate_limit_storage import make_storage

View = Callable[..., Any]
Headers = list[tuple[str, str]]

WINDOW_S = 60
HEADERS = ("RateLimit", "RateLimit-Policy")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNLIMITED_BLUEPRINT = "system"
"""Health and metrics: a monitor must never be refused."""
_LOGIN_WAIT_S = 2.0
_KNOWN_FOR_S = 30 * 24 * 60 * 60
_TOO_MANY_LOGINS = "Há logins demais em andamento. Tente de novo em instantes."


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` hits of one key in a window that begins with the first. The storage is safe to share."""

    name: str
    amount: int
    storage: Storage

    def hit(self, key: str) -> int:
        """Count one more, and return how many remain; below zero where that was one too many."""
        return self.amount - self.storage.incr(f"{self.name}:{key}", WINDOW_S)

    def give_back(self, key: str) -> None:
        self.storage.incr(f"{self.name}:{key}", WINDOW_S, -1)

    def is_spent(self, key: str) -> bool:
        return self.storage.get(f"{self.name}:{key}") >= self.amount

    def seconds_left(self, key: str) -> int:
        return max(1, math.ceil(self.storage.get_expiry(f"{self.name}:{key}") - time.time()))


def limit_rates(app: Flask, settings: Settings) -> "ReadLimit | None":
    """Count the requests of each client before the views of `app` do any work, and refuse the excess with 429.

    Returns the limit of reads, if there is one, for the responses that no view makes.
    """
    storage = make_storage(settings)
    writes = [Limit("escritas", settings.writes_per_minute, storage)] if settings.writes_per_minute else []
    runs = [Limit("execucoes", settings.runs_per_minute, storage)] if settings.runs_per_minute else []
    reads = [Limit("leituras", settings.reads_per_minute, storage)] if settings.reads_per_minute else []
    logins = LoginLimits(settings, storage)
    methods = {rule.endpoint: rule.methods or set() for rule in app.url_map.iter_rules()}
    for endpoint, view in app.view_functions.items():
        declared = operation_of(view)
        if declared is None or endpoint.partition(".")[0] == _UNLIMITED_BLUEPRINT:
            continue
        if declared.throttled:
            view = _redeclare(logins.limited(view), errors=(429,))
        limits = reads if methods[endpoint] <= _SAFE_METHODS else writes + runs * declared.starts_run
        if limits:
            view = _redeclare(_counted(view, limits, settings), errors=(429,), headers=HEADERS)
        app.view_functions[endpoint] = view
    return ReadLimit(reads[0], settings) if reads else None


class ReadLimit:
    """Counts the reads that are answered without Flask. Holds no state of its own."""

    def __init__(self, limit: Limit, settings: Settings) -> None:
        self._limit = limit
        self._settings = settings

    def admit(self, environ: WSGIEnvironment) -> Headers | None:
        """Count a read, and return the headers that tell the client; None for one too many."""
        client = _client(environ, self._settings)
        remaining = self._limit.hit(client)
        return None if remaining < 0 else _headers([(self._limit, client, remaining)])


class LoginLimits:
    """Bounds how many logins run at once, and how many may fail for an account, an address, and both together.

    A login is counted before its password is checked, and given back unless that fails, so that simultaneous ones
    can't exceed a limit. `_room` bounds the threads that logins may take, `_checking` those of them that hash.
    """

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self._storage = storage
        # First per account at an address, so that wrong guesses lock no account out at other addresses.
        self._here = Limit("login-conta-endereco", settings.login_failures_per_minute, storage)
        self._per_address = Limit("login-endereco", settings.login_failures_per_address, storage)
        self._per_account = Limit("login-conta", settings.login_failures_per_account, storage)
        self._room = BoundedSemaphore(max(1, settings.web_threads // 2))
        self._checking = BoundedSemaphore(settings.logins_at_once)

    def limited(self, view: View) -> View:
        @functools.wraps(view)
        def run(**arguments: Any) -> Any:
            client, account = client_of(request.environ), _account()
            counters = [(self._per_address, client)]
            known = f"login-conhecido:{account}:{client}" if account else ""
            if known:
                counters.insert(0, (self._here, f"{account}:{client}"))
                # The owner of an account that is guessed at from many addresses still logs in from a known one.
                if not self._storage.get(known):
                    counters.append((self._per_account, account))
            for limit, key in counters:
                if limit.is_spent(key):
                    return _refuse(limit, key)
            if not self._room.acquire(blocking=False):
                raise ServerBusy(_TOO_MANY_LOGINS)
            try:
                if not self._checking.acquire(timeout=_LOGIN_WAIT_S):
                    raise ServerBusy(_TOO_MANY_LOGINS)
                try:
                    return self._attempt(view, arguments, counters, known)
                finally:
                    self._checking.release()
            finally:
                self._room.release()

        return run

    def _attempt(
        self, view: View, arguments: dict[str, Any], counters: Sequence[tuple[Limit, str]], known: str
    ) -> Any:
        for limit, key in counters:
            if limit.hit(key) < 0:
                return _refuse(limit, key)
        failed = False
        try:
            response = view(**arguments)
        except Unauthenticated:
            failed = True
            raise
        finally:
            if not failed:
                for limit, key in counters:
                    limit.give_back(key)
        if known:
            self._storage.incr(known, _KNOWN_FOR_S)
        return response


def _redeclare(view: View, errors: tuple[int, ...], headers: tuple[str, ...] = ()) -> View:
    """Let the view's operation declare what its limits add."""
    declared: operation = getattr(view, ATTRIBUTE)
    declared = replace(
        declared,
        errors=(*declared.errors, *errors),
        response_headers=(*declared.response_headers, *headers),
    )
    setattr(view, ATTRIBUTE, declared)
    return view


def _counted(view: View, limits: Sequence[Limit], settings: Settings) -> View:
    @functools.wraps(view)
    def run(**arguments: Any) -> Any:
        client = _client(request.environ, settings)
        counted = []
        for limit in limits:
            remaining = limit.hit(client)
            if remaining < 0:
                return _refuse(limit, client)
            counted.append((limit, client, remaining))

        @after_this_request
        def announce(response: Response) -> Response:
            if HEADERS[0] not in response.headers:
                response.headers.extend(_headers(counted))
            return response

        return view(**arguments)

    return run


def _client(environ: WSGIEnvironment, settings: Settings) -> str:
    """Return the key of a request's client; those that hold the API key are apart from others at their address."""
    client = client_of(environ)
    return f"{client}+chave" if is_api_key(environ.get("HTTP_X_API_KEY", ""), settings) else client


def _headers(counted: Sequence[tuple[Limit, str, int]]) -> Headers:
    """Return the fields of draft-ietf-httpapi-ratelimit-headers-10."""
    remaining = (f'"{limit.name}";r={left};t={limit.seconds_left(key)}' for limit, key, left in counted)
    policies = (f'"{limit.name}";q={limit.amount};w={WINDOW_S}' for limit, _, _ in counted)
    return [(HEADERS[0], ", ".join(remaining)), (HEADERS[1], ", ".join(policies))]


def _refuse(limit: Limit, key: str) -> Response:
    wait_s = limit.seconds_left(key)
    response = problem(429, f"Tentativas demais. Tente de novo em {wait_s} segundos.")
    response.headers["Retry-After"] = str(wait_s)
    response.headers.extend(_headers([(limit, key, 0)]))
    return response


def _account() -> str:
    """Return a digest of the account's name, which a client may have mistaken for its password.

    A user that is logged in sends no name: the login stands for it, since its tokens, and the ways to write one in a
    header, are as many as a client likes. Empty without both.
    """
    try:
        body = json_body()
    except ShopError:
        return ""
    name = body.get("username") if isinstance(body, dict) else None
    if not isinstance(name, str):
        name = claimed_login_id()
    if not name:
        return ""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return hashlib.blake2b(folded.encode(errors="replace"), digest_size=16).hexdigest()
