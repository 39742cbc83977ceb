"""The processor core of the threads that serve requests."""

import os
import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class OneCore:
    """A WSGI application whose threads run on one core, on Linux; elsewhere they run where they like.

    One of them at a time holds the interpreter lock. On several cores, each pause in which it is released, at every
    statement and line of the log, wakes another thread that then waits for it, and both pay: see decision 9. Threads
    that the server does not start, and its own that read and write the network, are left alone.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._thread = threading.local()
        self._cores = {max(os.sched_getaffinity(0))} if hasattr(os, "sched_setaffinity") else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not hasattr(self._thread, "is_bound"):
            self._thread.is_bound = True
            if self._cores is not None:
                os.sched_setaffinity(0, self._cores)
        return self._application(environ, start_response)
