"""The identity of this process, and whether another is alive."""

import functools
import os
import socket
import uuid
from pathlib import Path
from typing import NamedTuple

from operating_system import WINDOWS

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SEPARATOR = "/"


class _Identity(NamedTuple):
    """What tells a process from every other; `place` is the kernel and the pid namespace that `pid` belongs to.

    Host names do not tell machines apart: cloned ones and containers may share one. The boot's id does, and in it
    the pid namespace, as far as there is a /proc; elsewhere the network card stands for both. A pid is given again,
    but not with the same `started_at`, nor the same random `token`.
    """

    place: str
    pid: int
    started_at: str
    token: str


@functools.cache
def _own(pid: int) -> _Identity:
    """Return this process' identity; `pid` tells it from the one that it was forked from."""
    return _Identity(_own_place(pid), pid, _stat(pid)[1], uuid.uuid4().hex)


def _own_place(pid: int) -> str:
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").stat().st_ino
        of_our_pids = Path("/proc/self").readlink() == Path(str(pid))
    except OSError:
        return f"{socket.gethostname().replace(_SEPARATOR, '-')}:{uuid.getnode():x}"
    # A /proc of another namespace would show other processes under our pids: then nothing is known of any.
    return f"{boot}:{namespace}" if of_our_pids else uuid.uuid4().hex


def own_identity() -> str:
    """Return a text by which another process can tell whether this one is alive."""
    place, pid, started_at, token = _own(os.getpid())
    return _SEPARATOR.join((place, str(pid), started_at, token))


def is_known_dead(identity: str) -> bool:
    """Return whether the process is known to have ended; of another machine's or container's nothing is known."""
    known = _neighbour(identity)
    if known is None:
        return False
    if known.pid == os.getpid():
        return known != _own(os.getpid())
    return has_ended(known.pid) or _stat(known.pid)[1] not in ("", known.started_at)


def is_known_alive(identity: str) -> bool:
    """Return whether the process runs at this moment; one that is stopped, as by SIGSTOP, does not."""
    known = _neighbour(identity)
    if known is None or is_known_dead(identity):
        return False
    state = _stat(known.pid)[0]
    return state != "" and state not in "TtX"


def has_ended(pid: int) -> bool:
    """Return whether there is known to be no such process, or only a zombie, which in a container may stay for ever."""
    if WINDOWS:
        return False  # which can't be asked: what signal 0 is elsewhere, is Ctrl-C there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _stat(pid)[0] == "Z"


def _neighbour(identity: str) -> _Identity | None:
    """Return the identity of a process whose pid means here what it means to us; None of any other, or another text."""
    parts = identity.split(_SEPARATOR)
    if len(parts) != 4 or parts[0] != _own(os.getpid()).place or not parts[1].isdecimal():
        return None
    return _Identity(parts[0], int(parts[1]), parts[2], parts[3])


def _stat(pid: int) -> tuple[str, str]:
    """Return a process' state and when it started, in ticks since the boot; two empty texts where that is unknown."""
    try:
        # Counted from after the name, which is in parentheses and may hold spaces: see proc_pid_stat(5).
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]
