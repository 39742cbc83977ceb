"""HTTP, with an end to every wait; what goes wrong is a `Problem` whose text is for the reader."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests

CONNECT_WITHIN_S = 2.0
SILENCE_AT_MOST_S = 5.0
ANSWER_WITHIN_S = 10.0
MAX_BYTES = 20_000_000
_CHUNK_BYTES = 65_536

Query = Mapping[str, str | int | float]


class Problem(Exception):
    """Something that the reader should know about a server."""


class Unreachable(Problem):
    """Nobody answered, or not in time."""


class Malformed(Problem):
    """The answer is not what that server is documented to say."""


class Refused(Problem):
    """The server answered with an error status."""

    def __init__(self, server: str, path: str, status: int, detail: str) -> None:
        super().__init__(f"{server} respondeu {status} em `{path}`. {detail}".rstrip())
        self.status = status
        self.detail = detail


class Tokens(Protocol):
    """Who asks."""

    def token(self) -> str:
        """The access token to ask with; empty for none."""

    def renew(self, refused: str) -> str:
        """Another one, after `refused` was; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    more: bool  # a further page follows (Link rel=next)
    headers: Mapping[str, str]  # whatever their case


@dataclass(frozen=True, slots=True)
class Server:
    """`name` is how the reader knows it, with its article: "A API"."""

    name: str
    url: str
    tokens: Tokens | None = None

    def get(self, path: str, query: Query | None = None) -> Answer:
        return self._answer("GET", path, query, None)

    def post(self, path: str, body: Any, query: Query | None = None, *, token: str = "") -> Answer:
        return self._answer("POST", path, query, body, token)

    def json(self, path: str, query: Query | None = None) -> Any:
        return self.decoded(path, self.get(path, query))

    def decoded(self, path: str, answer: Answer) -> Any:
        try:
            return json.loads(answer.text)
        except (ValueError, RecursionError) as error:
            raise self.malformed(path) from error

    def malformed(self, path: str) -> Malformed:
        return Malformed(f"{self.name} respondeu em `{path}` algo que este painel não entende.")

    def _answer(self, method: str, path: str, query: Query | None, body: Any, token: str = "") -> Answer:
        token = token or (self.tokens.token() if self.tokens else "")
        try:
            return self._ask(method, path, query, body, token)
        except Refused as refusal:
            another = self.tokens.renew(token) if self.tokens and refusal.status == 401 else ""
            if not another:
                raise
        return self._ask(method, path, query, body, another)

    def _ask(self, method: str, path: str, query: Query | None, body: Any, token: str) -> Answer:
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
                timeout=(CONNECT_WITHIN_S, SILENCE_AT_MOST_S),
                stream=True,
            ) as response:
                text = self._read(path, response)
                answer = Answer(text, "next" in response.links, response.headers)
        except requests.Timeout as error:
            raise Unreachable(f"{self.name} não respondeu a tempo em {self.url}.") from error
        except requests.ConnectionError as error:
            raise Unreachable(f"{self.name} não responde em {self.url}.") from error
        except (requests.RequestException, UnicodeError) as error:
            raise Unreachable(f"Não foi possível ler de {self.url}: confira o endereço.") from error
        if response.status_code >= 400:
            raise Refused(self.name, path, response.status_code, _detail(text))
        return answer

    def _read(self, path: str, response: requests.Response) -> str:
        deadline = time.monotonic() + ANSWER_WITHIN_S
        body = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if time.monotonic() > deadline:
                raise requests.Timeout
            if len(body) > MAX_BYTES:
                raise self.malformed(path)
        return body.decode("utf-8", errors="replace")


def _detail(text: str) -> str:
    """What the API says about its refusal; other servers' error pages are not for the reader."""
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return detail[:300] if isinstance(detail, str) else ""
