"""What the peers share: the bodies taken from the running shop, and the record of each request."""

import json
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import Counter, Histogram

FOLDER = Path(os.environ["BENCH_FOLDER"])
ONE = (FOLDER / "one.json").read_bytes()
LIST = (FOLDER / "list.json").read_bytes()
LIST_GZIP = (FOLDER / "list.json.gz").read_bytes()
BOOKS: list[dict[str, Any]] = orjson.loads((FOLDER / "books.json").read_bytes())
HEADERS: dict[str, str] = orjson.loads((FOLDER / "headers.json").read_bytes())
"""The shop's own, without those that a server adds."""
API_KEY = os.environ["BENCH_API_KEY"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_REQUESTS = Counter("requests_total", "Requests", ["method", "route", "status"])
_SECONDS = Histogram("request_seconds", "Latency of requests", ["method", "route", "status"])
_children: dict[tuple[str, str, int], tuple[Any, Any]] = {}
_file = os.open(os.environ["BENCH_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_WRITES_DIRECTLY = bool(os.environ["BENCH_WRITES_DIRECTLY"])


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request; the children are looked up once for each combination of labels."""
    labels = (method, route, status)
    children = _children.get(labels)
    if children is None:
        children = _children[labels] = (_REQUESTS.labels(*labels), _SECONDS.labels(*labels))
    children[0].inc()
    children[1].observe(seconds)


def write_line(client: str, method: str, path: str, status: int, seconds: float, size: int) -> None:
    """Write the shop's line for a request, as the peer was told to."""
    fields = {
        "remote_addr": client,
        "method": method,
        "path": path,
        "status": status,
        "duration": round(seconds, 4),
        "user": None,
        "request_id": uuid.uuid4().hex,
        "bytes": size,
    }
    if _WRITES_DIRECTLY:
        line = {"timestamp": datetime.now(UTC), "levelname": "INFO", "name": "peer", "message": "request"}
        os.write(_file, orjson.dumps(line | fields, option=orjson.OPT_APPEND_NEWLINE))
    else:
        _log.info("request", extra={"fields": fields})


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "levelname": record.levelname,
            "name": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(line | vars(record)["fields"])


def _logger() -> logging.Logger:
    handler = logging.FileHandler(os.environ["BENCH_LOG"])
    handler.setFormatter(_JsonLines())
    logger = logging.getLogger("peer")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


_log = _logger()


class Observed:
    """ASGI middleware that logs each request of an application, and counts it where `counts` is true."""

    def __init__(self, application: Application, *, counts: bool) -> None:
        self._application = application
        self._counts = counts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        began = time.perf_counter()
        status, size = 500, 0

        async def watch(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        await self._application(scope, receive, watch)
        seconds = time.perf_counter() - began
        if self._counts:
            route = scope["route"].path if "route" in scope else "unmatched"
            count(scope["method"], route, status, seconds)
        write_line(scope["client"][0], scope["method"], scope["path"], status, seconds, size)
