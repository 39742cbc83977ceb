"""Logs for tests and benchmarks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app.observability.logs.handlers import LogFileHandler

if TYPE_CHECKING:
    from app.shop import Shop

BEGAN_AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def make_line(number: int, **fields: Any) -> bytes:
    """Return the `number`-th line of a log that writes one a second, without its line end."""
    return orjson.dumps(
        {
            "timestamp": (BEGAN_AT + timedelta(seconds=number)).isoformat(timespec="milliseconds"),
            "levelname": "INFO",
            "name": "app.web.middleware",
            "message": "request",
            "remote_addr": "127.0.0.1",
            "method": "GET",
            "path": f"/api/v1/books/{number}",
            "status": 200,
            "duration": 0.0012,
            "user": None,
            "request_id": f"{number:032x}",
            "route": "/api/v1/books/<int:book_idx>",
            "bytes": 240,
            **fields,
        }
    )


def write(path: Path, *lines: bytes) -> None:
    """Append `lines`, without their ends, to the file of a log."""
    with path.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def numbers(lines: Iterable[bytes]) -> list[int]:
    """Return the numbers that `make_line` gave to `lines`."""
    return [int(orjson.loads(line)["request_id"], 16) for line in lines]


def log(shop: Shop, *numbers: int, **fields: Any) -> None:
    """Write `make_line`'s lines to the log of `shop`."""
    for number in numbers:
        shop.log_writer.write(make_line(number, **fields) + b"\n")


def write_log(path: Path, at_least_bytes: int) -> int:
    """Write a log of `at_least_bytes`, whose last line is `number` 999, and return its size."""
    thousand = b"".join(make_line(number) + b"\n" for number in range(1_000))
    with path.open("wb") as file:
        for _ in range(-(-at_least_bytes // len(thousand))):
            file.write(thousand)
    return path.stat().st_size


@contextmanager
def log_written(shop: Shop) -> Iterator[None]:
    """Write the log to the shop's file, as a server does."""
    handler = LogFileHandler(shop.log_writer)
    shop_log = logging.getLogger("app")
    level = shop_log.level
    shop_log.addHandler(handler)
    shop_log.setLevel(logging.INFO)
    yield
    shop_log.removeHandler(handler)
    shop_log.setLevel(level)
