"""granian, with what its settings don't offer: a drain, a limit for slow readers, and bodies that can be given up."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from granian import net
from granian.server import mp

from app.web.body_guard import CONNECTION
from operating_system import DRAIN_SIGNAL, WINDOWS, raise_open_files

_mp: Any = mp
_net: Any = net
"""granian's modules, which have no types for what is used here. It is pinned, and tests/e2e notice a change."""
EXIT_NOT_STARTED = 3
"""A worker's, which its supervisor turns into 1."""
STARTS_WITHIN_S = 60.0
RESTART_PAUSE_S = 5.0
_SPARE_FILES = 200
"""Open files of a process that are no connections."""


class HttpServer(mp.MPServer):
    """The supervisor of the workers, which share one listening socket.

    So a connection that waits to be accepted outlives the worker that ends. Its options hold for every connection.
    Workers that end are replaced, unless the shop can't start at all: another worker would find the same.
    """

    def __init__(self, *arguments: Any, drain_delay_s: float, send_timeout_s: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._drain_delay_s = drain_delay_s
        self._send_timeout_s = send_timeout_s
        self._started_at = float("-inf")

    def startup(self, *arguments: Any) -> None:
        if DRAIN_SIGNAL is not None:
            signal.signal(
                DRAIN_SIGNAL, signal.SIG_IGN
            )  # inherited: it must not end a worker that still starts
        super().startup(*arguments)  # type: ignore[no-untyped-call]

    def shutdown(self, exit_code: int = 0) -> None:
        """Tell the workers, serve for the delay or until a second signal, then end them after their requests."""
        if WINDOWS:  # what ends workers there is no request, and Ctrl-C has reached them too
            for worker in self.wrks:
                worker.inner.join(self.workers_kill_timeout)
        elif self._drain_delay_s and DRAIN_SIGNAL is not None:
            for worker in self.wrks:
                with suppress(ProcessLookupError):
                    os.kill(worker.inner.pid, DRAIN_SIGNAL)
            self.main_loop_interrupt.clear()
            self.main_loop_interrupt.wait(self._drain_delay_s)
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    def _spawn_workers(self, *arguments: Any) -> None:
        self._started_at = time.monotonic()
        super()._spawn_workers(*arguments)  # type: ignore[no-untyped-call]

    def _respawn_workers(self, workers: list[int], *arguments: Any, **options: Any) -> None:
        not_started = any(self.wrks[index].inner.exitcode == EXIT_NOT_STARTED for index in workers)
        if not_started and time.monotonic() < self._started_at + STARTS_WITHIN_S:
            self.interrupt_children.extend(workers)  # makes granian's exit code 1
            self.interrupt_signal = True
            self.main_loop_interrupt.set()
            return
        if not_started:  # the others serve, and the database may come back
            self.main_loop_interrupt.wait(RESTART_PAUSE_S)
        super()._respawn_workers(workers, *arguments, **options)
        if not_started:
            self.respawned_wrks.clear()  # or granian would take this for a loop of crashes, and end

    def _init_shared_socket(self) -> None:
        holder = _net.SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._shd = holder
        self._sso = socket.socket(fileno=holder.get_fd())
        self._sso.set_inheritable(True)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = int(self._send_timeout_s * 1_000)
            self._sso.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def expose_connections() -> None:
    """Let the requests of this process find the connection that they came by in their environ."""
    wrap = _mp._wsgi_call_wrap

    def wrap_and_expose(*arguments: Any) -> Callable[[Any, dict[str, Any]], object]:
        respond = wrap(*arguments)

        def call(protocol: Any, scope: dict[str, Any]) -> object:
            scope[CONNECTION] = protocol
            return respond(protocol, scope)

        return call

    _mp._wsgi_call_wrap = wrap_and_expose


def allow_connections(wanted: int) -> int:
    """Raise the limit of open files as far as this user may; return how many of `wanted` connections it leaves."""
    limit = raise_open_files()
    return wanted if limit is None else max(1, min(wanted, limit - _SPARE_FILES))
