"""Who this process is, so that another can tell whether it is still alive."""

from __future__ import annotations

import functools
import os
import socket
import uuid
from pathlib import Path


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
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _is_zombie(int(pid))


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended and only waits to be reaped, which in a container may take for ever."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"
