"""The log line of each request, formatted once for the console and the file."""

import logging
import time

import orjson

from app.observability.logs.formatters import timestamp
from app.observability.logs.handlers import SHOP_LOG, line_writers

log = logging.getLogger("app.web.middleware")


def log_request(
    *,
    remote_addr: str | None,
    method: str,
    path: str,
    status: int,
    duration: float,
    user: int | None,
    request_id: str,
    route: str,
    size: int,
) -> None:
    """Log a request that took `duration` seconds and sent `size` bytes; every value must be safe to log as it is.

    Where all outputs take ready lines, no record of `logging` is made: that would cost ten times as much.
    """
    if not log.isEnabledFor(logging.INFO):
        return
    duration = int(duration * 10_000 + 0.5) / 10_000  # as round() does, in half its time
    writers = line_writers(SHOP_LOG)
    if writers is None:
        log.info(
            "request",
            extra={
                "remote_addr": remote_addr,
                "method": method,
                "path": path,
                "status": status,
                "duration": duration,
                "user": user,
                "route": route,
                "bytes": size,
            },
        )
        return
    line = {
        "timestamp": timestamp(time.time()),
        "levelname": "INFO",
        "name": log.name,
        "message": "request",
        "remote_addr": remote_addr,
        "method": method,
        "path": path,
        "status": status,
        "duration": duration,
        "user": user,
        "request_id": request_id,
        "route": route,
        "bytes": size,
    }
    text = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    for write in writers:
        write(text)
