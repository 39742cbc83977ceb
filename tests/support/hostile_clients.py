"""Clients that keep a server busy and never finish: `python -m tests.support.hostile_clients PORT KIND=N`.

They keep N connections of each kind open until they are killed, and open another wherever the server closes one.
"""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.support.server import ROOT

TICK_S = 1.0
"""After which each client sends or reads its next byte."""
ADDRESSES = tuple(f"127.0.1.{number}" for number in range(1, 251))
_LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
BEGINNINGS = {
    "stalled_body": _LOGIN + b"Content-Length: 50\r\n\r\n{",
    "dripping_body": _LOGIN + b"Content-Length: 5000\r\n\r\n{",
    "chunked_body": _LOGIN + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "slow_headers": b"GET /health HTTP/1.1\r\nHo",
    "slow_reader": b"GET /api/v1/books HTTP/1.1\r\nHost: shop\r\n\r\n" * 20,
    "slow_file": b"GET /flasgger_static/swagger-ui-bundle.js HTTP/1.1\r\nHost: shop\r\n\r\n" * 20,
    "half_open": b"",
}
"""What each kind sends when it has connected."""
_DRIPPING = ("dripping_body", "slow_headers")
_READING = ("slow_reader", "slow_file")
_TRICKS = (
    b"/../../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd", b"/static/..%2f..%2fapp/settings.py", b"/api/v1/books/%00",
    b"/api/v1/books/99999999999999999999", b"//evil.example/%0d%0aX-Injected:%20yes", b"/" + b"a" * 8_000,
)  # fmt: skip


def _guess(source: random.Random) -> bytes:
    body = b'{"username":"admin","password":"%d"}' % source.getrandbits(32)
    return _LOGIN + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


ONE_REQUEST: dict[str, Callable[[random.Random], bytes]] = {
    "scanner": lambda source: b"GET /%x.php HTTP/1.1\r\nHost: shop\r\n\r\n" % source.getrandbits(64),
    "trickster": lambda source: b"GET %s HTTP/1.1\r\nHost: shop\r\n\r\n" % source.choice(_TRICKS),
    "guesser": _guess,
    "garbage": lambda source: source.randbytes(source.randrange(1, 4_000)),
    "huge_body": lambda source: _LOGIN + b"Content-Length: 9999999999\r\n\r\n" + source.randbytes(60_000),
}
"""What each kind sends in all, made anew for each connection: it then reads an answer, and closes."""


class HostileClient:
    """A connection of one kind, from one of ADDRESSES; `tick` sends or reads a byte."""

    def __init__(self, port: int, kind: str, number: int) -> None:
        self._port = port
        self.kind = kind
        self._address = ADDRESSES[number % len(ADDRESSES)]
        self._source = random.Random(number)
        self._connection: socket.socket | None = None

    def tick(self) -> None:
        if self._connection is None:
            self._connect()
            return
        try:
            if self.kind in _DRIPPING:
                self._connection.send(b"x")
            if not self._connection.recv(1 if self.kind in _READING else 65_536) or self.kind in ONE_REQUEST:
                self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> None:
        connection = socket.socket()
        connection.settimeout(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        try:
            connection.bind((self._address, 0))
            connection.connect(("127.0.0.1", self._port))
            connection.setblocking(False)
            made = ONE_REQUEST.get(self.kind)
            connection.send(made(self._source) if made else BEGINNINGS[self.kind])
        except OSError:
            connection.close()
        else:
            self._connection = connection


@contextmanager
def hostile_clients(port: int, **numbers: int) -> Iterator[None]:
    """Run `numbers` of each kind in a process of their own to the end of the block."""
    arguments = [f"{kind}={number}" for kind, number in numbers.items()]
    command = [sys.executable, "-m", "tests.support.hostile_clients", str(port), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()  # they have connected once
            yield
        finally:
            process.kill()


def attack(port: int, numbers: Mapping[str, int]) -> None:
    """Keep the clients going until the process is killed."""
    clients = [
        HostileClient(port, kind, place) for kind, number in numbers.items() for place in range(number)
    ]
    announced = False
    while True:
        began = time.monotonic()
        for client in clients:
            client.tick()
        if not announced:
            sys.stdout.write("connected\n")
            sys.stdout.flush()
            announced = True
        time.sleep(max(0.0, TICK_S - (time.monotonic() - began)))


if __name__ == "__main__":
    pairs = (text.split("=") for text in sys.argv[2:])
    attack(int(sys.argv[1]), {kind: int(number) for kind, number in pairs})
