"""Who this process is, so that another can tell whether it is still alive."""

from __future__ import annotations

import functools
import os
import socket
import uuid

from app.processes import has_ended


@functools.cache
def _token(_pid: int) -> str:
    """Differs between two processes that had the same pid, as the first one of every container has."""
    return uuid.uuid4().hex


def own_identity() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{_token(os.getpid())}"


def is_surely_dead(identity: str) -> bool:
    """Whether the process is known to have ended; of another machine nothing is known."""
    host, pid, token = identity.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return token != _token(os.getpid())
    return has_ended(int(pid))
