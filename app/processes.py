"""The identity of this process, and whether another is alive."""

import functools
import os
import socket
import uuid
from pathlib import Path


@functools.cache
def _token(_pid: int) -> str:
    """Differ between two processes that had the same pid, as the first one of every container has."""
    return uuid.uuid4().hex


def own_identity() -> str:
    """Return a text by which another process can tell whether this one is alive."""
    return f"{socket.gethostname()}:{os.getpid()}:{_token(os.getpid())}"


def is_known_dead(identity: str) -> bool:
    """Return whether the process is known to have ended; nothing is known of another machine's."""
    host, pid, token = identity.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return token != _token(os.getpid())
    return has_ended(int(pid))


def has_ended(pid: int) -> bool:
    """Return whether there is no such process, or only a zombie, which in a container may stay for ever."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"
