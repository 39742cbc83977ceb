"""An HTTP client that bounds every wait and every body, and raises errors written for the reader of the dashboard."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import requests

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 10.0
MAX_BYTES = 20_000_000
_CHUNK_BYTES = 65_536

Query = Mapping[str, str | int | float]


class RequestFailed(Exception):
    """A failed request; its text is for the reader."""


class Unreachable(RequestFailed):
    """The server did not respond, or not in time."""


class MalformedResponse(RequestFailed):
    """The response does not have the documented form."""


class HttpStatusError(RequestFailed):
    """The server responded with an error status."""

    def __init__(self, server: str, path: str, status: int, detail: str) -> None:
        super().__init__(f"{server} respondeu {status} em `{path}`. {detail}".rstrip())
        self.status = status
        self.detail = detail


class TokenProvider(Protocol):
    def token(self) -> str:
        """Return the access token to send, empty for none."""

    def renew(self, rejected: str) -> str:
        """Return another token after the server rejected this one, empty for none."""


@dataclass(frozen=True, slots=True)
class Response:
    text: str
    has_next_page: bool
    headers: Mapping[str, str]
    """Case-insensitive."""

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class HttpClient:
    """`name` is the server's name in messages, with its article: "A API".

    Methods raise RequestFailed.
    """

    name: str
    url: str
    tokens: TokenProvider | None = None

    def get(self, path: str, query: Query | None = None) -> Response:
        return self._request("GET", path, query)

    def post(self, path: str, body: Any, query: Query | None = None, *, token: str = "") -> Response:
        return self._request("POST", path, query, body, token)

    @contextmanager
    def parsing(self, path: str) -> Iterator[None]:
        """Raise MalformedResponse where the block meets invalid JSON, a missing key or a wrong type."""
        try:
            yield
        except (
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            AttributeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise self._malformed(path) from error

    def _malformed(self, path: str) -> MalformedResponse:
        return MalformedResponse(f"{self.name} respondeu em `{path}` algo que este painel não entende.")

    def _request(
        self, method: str, path: str, query: Query | None, body: Any = None, token: str = ""
    ) -> Response:
        """Send the request, and once more with a renewed token if the first was rejected."""
        token = token or (self.tokens.token() if self.tokens else "")
        try:
            return self._send(method, path, query, body, token)
        except HttpStatusError as error:
            renewed = self.tokens.renew(token) if self.tokens and error.status == 401 else ""
            if not renewed:
                raise
        return self._send(method, path, query, body, renewed)

    def _send(self, method: str, path: str, query: Query | None, body: Any, token: str) -> Response:
        shown = without_credentials(self.url)
        headers = {"User-Agent": "livraria-dashboard"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            with requests.request(
                method,
                f"{self.url}{path}",
                params=dict(query or {}),
                json=body,
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                stream=True,
            ) as response:
                text = self._read(path, response)
        except requests.Timeout as error:
            raise Unreachable(f"{self.name} não respondeu a tempo em {shown}.") from error
        except requests.ConnectionError as error:
            raise Unreachable(f"{self.name} não responde em {shown}.") from error
        except (requests.RequestException, UnicodeError) as error:
            raise Unreachable(f"Não foi possível ler de {shown}: confira o endereço.") from error
        if response.status_code >= 400:
            raise HttpStatusError(self.name, path, response.status_code, _error_detail(text))
        return Response(text, "next" in response.links, response.headers)

    def _read(self, path: str, response: requests.Response) -> str:
        deadline = time.monotonic() + TOTAL_TIMEOUT_S
        body = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if time.monotonic() > deadline:
                raise requests.Timeout
            if len(body) > MAX_BYTES:
                raise self._malformed(path)
        return body.decode("utf-8", errors="replace")


def without_credentials(url: str) -> str:
    """Return the address as it may be shown, also where it is no proper one."""
    return re.sub("//.*@", "//", url)


def _error_detail(text: str) -> str:
    """Return the `detail` of the API's problem details; the error pages of other servers have none."""
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return detail[:300] if isinstance(detail, str) else ""
