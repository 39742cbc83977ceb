"""The processor core of the threads that serve requests."""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class OneCore:
    """A WSGI application whose threads run on one core, on Linux; elsewhere they run where they like.

    One of them at a time holds the interpreter lock. On several cores, each pause in which it is released, at every
    statement and line of the log, wakes another thread that then waits for it, and both pay: see decision 9. Threads
    that the server does not start, and its own that read and write the network, are left alone; what a request starts
    inherits its core, until it calls `run_on_any_core`. Processes choose different cores, as far as there are any.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._thread = threading.local()
        self._core = _own_core()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not hasattr(self._thread, "is_bound"):
            self._thread.is_bound = True
            if self._core is not None:
                _bind(self._core)
        return self._application(environ, start_response)


def run_on_any_core() -> None:
    """Let this thread, and the processes that it starts, run on every core of the process' main thread."""
    if hasattr(os, "sched_getaffinity"):
        _bind(os.sched_getaffinity(os.getpid()))


def _own_core() -> set[int] | None:
    if hasattr(os, "sched_getaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        return {cores[os.getpid() % len(cores)]}
    return None


def _bind(cores: set[int]) -> None:
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # where a sandbox forbids it, threads run where they like
            os.sched_setaffinity(0, cores)
