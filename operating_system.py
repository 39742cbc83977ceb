"""What operating systems do differently: locks, priorities, process groups, signals.

Windows lacks the modules `fcntl` and `resource` and many functions of `os`; each is used where it exists.
`mypy --platform win32` finds what is used elsewhere without a look.
"""

import importlib
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any, Final


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


fcntl, msvcrt, resource = _module("fcntl"), _module("msvcrt"), _module("resource")
HAS_LOCKS: Final = fcntl is not None or msvcrt is not None
"""Whether processes can keep each other from a file; where they can't, there should be one at a time."""
WINDOWS: Final = sys.platform == "win32"
OPEN_FLAGS: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""For `os.open` of a file that is read and written as it is, and must not be waited for where it is a pipe."""
DRAIN_SIGNAL: Final[int | None] = getattr(signal, "SIGUSR1", None)
"""What the supervisor sends to its workers when it is told to end, where there is such a signal."""
END_SIGNALS: Final = {
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
}
"""What tells a program to end; the last one is Windows' Ctrl-Break."""
HANGUP_SIGNALS: Final = {getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name)}
"""What a closed terminal sends."""
APART: Final[dict[str, Any]] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if WINDOWS
    else {"start_new_session": True}
)
"""Arguments of `subprocess.Popen` for a child that a Ctrl-C in the terminal does not reach, only its parent."""
CHILD_VARIABLES: Final = ("SYSTEMROOT",)
"""Environment variables without which Windows starts no Python."""
_LOCKED_BYTE: Final = 2**30
"""The byte of a file that stands for its lock on Windows, where what is locked can't be read either."""


def lock(descriptor: int) -> None:
    """Lock an open file until it is closed. Raises BlockingIOError where another process has locked it.

    Where there are no locks at all, nothing happens.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif msvcrt is not None:
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from None
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Read up to `size` bytes of a file; on Windows only one thread at a time may use the descriptor."""
    if hasattr(os, "pread"):
        content: bytes = os.pread(descriptor, size, offset)
        return content
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, size)


def sync_folder(path: os.PathLike[str]) -> None:
    """Put the names in a folder on disk, where folders can be opened. Raises OSError."""
    if WINDOWS:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lower_priority(niceness: int) -> None:
    """Let other processes go before this one, where it can be asked for."""
    if hasattr(os, "nice"):
        os.nice(niceness)


def kill_group(pid: int) -> None:
    """Kill a process that was started `APART`, and on Unix what it has started."""
    with suppress(ProcessLookupError, PermissionError):  # macOS: the latter for a group of zombies
        if hasattr(os, "killpg"):
            os.killpg(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        else:
            os.kill(pid, signal.SIGTERM)  # which on Windows is as final


def raise_open_files() -> int | None:
    """Raise the limit of open files as far as this user may, and return it; None where there is none."""
    if resource is None:
        return None
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS has a lower limit that it doesn't tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return open_files_limit()


def open_files_limit() -> int | None:
    """Return how many files this process may have open; None where there is no limit, or none that is told."""
    if resource is None:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else int(limit)
