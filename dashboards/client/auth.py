"""Whom the API takes this dashboard for where it asks as an operator."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from dashboards.client.http_client import Problem, Refused, Server
from dashboards.client.parsing import Checked

LOGIN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
RETRY_S = 60.0
"""The API holds off whoever tries a wrong password again and again; pages ask every few seconds."""


class LoginRefused(Problem):
    """The API does not take the user or the password."""


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token that somebody else got, until it expires; or none."""

    given: str

    def token(self) -> str:
        return self.given

    def renew(self, refused: str) -> str:
        return ""


class Login:
    """Logs in when first asked, and renews the token when the API no longer takes it.

    `_lock` protects everything: a refresh token is good for one use.
    """

    def __init__(
        self, server: Server, user: str, password: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._server = server
        self._credentials = {"username": user, "password": password}
        self._clock = clock
        self._lock = threading.Lock()
        self._access = self._refresh = ""
        self._refusal = ""
        self._refused_at = 0.0

    def token(self) -> str:
        with self._lock:
            if not self._access:
                self._log_in()
            return self._access

    def renew(self, refused: str) -> str:
        with self._lock:
            if self._access == refused:  # else another page has been faster
                try:
                    self._take(REFRESH, None, self._refresh)
                except Refused:
                    self._access = ""
                    self._log_in()
            return self._access

    def _log_in(self) -> None:
        if self._refusal and self._clock() - self._refused_at < RETRY_S:
            raise LoginRefused(self._refusal)
        try:
            self._take(LOGIN, self._credentials)
        except Refused as refusal:
            user = self._credentials["username"]
            self._refusal = (
                f"A API recusou o login de `{user}` (`API_USER`, `API_PASSWORD`). {refusal.detail}"
            )
            self._refused_at = self._clock()
            raise LoginRefused(self._refusal) from refusal
        self._refusal = ""

    def _take(self, path: str, body: dict[str, str] | None, token: str = "") -> None:
        answer = self._server.decoded(path, self._server.post(path, body, token=token))
        with Checked(self._server, path):
            self._access, self._refresh = str(answer["access_token"]), str(answer["refresh_token"])
