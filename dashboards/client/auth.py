"""Access tokens for the routes that only operators may read."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from dashboards.client.http_client import HttpClient, HttpStatusError, RequestFailed

LOGIN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
RETRY_DELAY_S = 60.0
"""Pages ask every few seconds, and the API throttles repeated logins with a wrong password."""


class LoginRejected(RequestFailed):
    """The API rejected the user or the password."""


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A given token, used until it expires; may be empty."""

    value: str

    def token(self) -> str:
        return self.value

    def renew(self, rejected: str) -> str:
        return ""


class LoginSession:
    """Logs in at the first request and renews the token when the API rejects it.

    `_lock` protects all state, because a refresh token can be used once only.
    """

    def __init__(
        self, client: HttpClient, user: str, password: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._credentials = {"username": user, "password": password}
        self._clock = clock
        self._lock = threading.Lock()
        self._access_token = self._refresh_token = ""
        self._rejection = ""
        self._rejected_at = 0.0

    def token(self) -> str:
        with self._lock:
            if not self._access_token:
                self._log_in()
            return self._access_token

    def renew(self, rejected: str) -> str:
        with self._lock:
            if self._access_token == rejected:  # else another thread has renewed it
                try:
                    self._fetch_tokens(REFRESH, None, self._refresh_token)
                except HttpStatusError:
                    self._access_token = ""
                    self._log_in()
            return self._access_token

    def _log_in(self) -> None:
        if self._rejection and self._clock() - self._rejected_at < RETRY_DELAY_S:
            raise LoginRejected(self._rejection)
        try:
            self._fetch_tokens(LOGIN, self._credentials)
        except HttpStatusError as error:
            user = self._credentials["username"]
            self._rejection = (
                f"A API recusou o login de `{user}` (`API_USER`, `API_PASSWORD`). {error.detail}"
            )
            self._rejected_at = self._clock()
            raise LoginRejected(self._rejection) from error
        self._rejection = ""

    def _fetch_tokens(self, path: str, body: dict[str, str] | None, token: str = "") -> None:
        with self._client.parsing(path):
            tokens = self._client.post(path, body, token=token).json()
            self._access_token, self._refresh_token = (
                str(tokens["access_token"]),
                str(tokens["refresh_token"]),
            )
