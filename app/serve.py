"""The production WSGI server and its worker processes."""

import atexit
import gc
import logging
import multiprocessing
import multiprocessing.util
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from app.http_server import EXIT_NOT_STARTED, HttpServer, allow_connections, expose_connections
from app.observability.shared_folder import FOLDER_VARIABLE, make_shared_folder
from app.secret import with_own_secret
from app.settings import ENV_FILE, InvalidSettings, Settings, read_settings
from operating_system import DRAIN_SIGNAL, END_SIGNALS, WINDOWS

log = logging.getLogger(__name__)

EXIT_INVALID_SETTINGS = 2
HEADER_TIMEOUT_MS = 5_000
DRAIN_S = 15


def main() -> None:
    """Serve with the settings of the environment and `.env` until SIGTERM or SIGINT; exit 2 where they are invalid."""
    try:
        settings = read_settings(os.environ, ENV_FILE)
        os.umask(0o077)  # the database holds password hashes: other users can't read it
        _check_machine(settings)
    except InvalidSettings as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_INVALID_SETTINGS)
    # Otherwise each serving thread would start as many threads as there are cores, to predict with.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _server(settings).serve()


def build() -> object:
    """Return the WSGI application of one worker process, ready to serve."""
    # The supervisor's own handlers, which came with the fork, would lose a SIGTERM until granian sets a worker's.
    for ending in END_SIGNALS:
        signal.signal(ending, signal.SIG_DFL)
    gc.disable()  # a start makes next to no garbage, and looking for it is a quarter of its time
    # The dashboard's, which pandas would import, although no frame of ours is made of it: a tenth of a second, 15 MB.
    sys.modules.setdefault("pyarrow", None)  # type: ignore[arg-type]
    # Imported here, so that the supervising process stays small and starts its workers at once.
    from app.affinity import OneCore
    from app.shop import Shop
    from app.start import NotStarted, start

    settings = with_own_secret(read_settings(os.environ, ENV_FILE))
    _follow_supervisor()
    try:
        app = start(settings)
    except NotStarted as error:
        log.critical("database_unusable", extra={"reason": error.reason})
        raise SystemExit(EXIT_NOT_STARTED) from None
    shop: Shop = app.extensions["shop"]
    _watch_signals(shop.draining.set, shop.log_tails.stop)
    expose_connections()
    # A worker ends through multiprocessing, which runs its own finalizers but not atexit's.
    multiprocessing.util.Finalize(app, shop.stop, exitpriority=10)
    gc.freeze()
    gc.enable()
    log.info("ready", extra={"url": f"http://{settings.host}:{settings.port}/"})
    return OneCore(app.wsgi_app) if settings.web_workers == 1 else app.wsgi_app


def _check_machine(settings: Settings) -> None:
    """Prepare the data directory. Raises InvalidSettings where this machine can't serve as valid settings say."""
    if WINDOWS and settings.web_workers > 1:
        raise InvalidSettings(["WEB_WORKERS deve ser 1 no Windows, onde processos não dividem uma porta"])
    problems = []
    try:
        with_own_secret(settings)
        if settings.web_workers > 1:
            _share_metrics(settings)
    except OSError as error:
        problems.append(f"DATA_DIR ({settings.data_dir}) não pode ser usado: {error.strerror}")
    problems += [
        f"{settings.port_name}: {problem}" for problem in _port_problems(settings.host, settings.port)
    ]
    if problems:
        raise InvalidSettings(problems)


def _share_metrics(settings: Settings) -> None:
    """Let the workers add up their metrics, from zero as after any restart. Raises OSError."""
    folder = make_shared_folder(settings.data_dir, settings.web_workers)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[FOLDER_VARIABLE] = folder


def _port_problems(host: str, port: int) -> list[str]:
    # Both ways: granian sets SO_REUSEPORT, so that binding may succeed beside another server that does.
    probed_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound to
    try:
        socket.create_connection((probed_host, port), timeout=1).close()
    except OSError:
        pass
    else:
        return [f"outro programa já atende em {host}:{port}"]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if not WINDOWS:  # where this would allow to take over a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return [f"não é possível escutar em {host}:{port}: {error.strerror}"]
    return []


def _server(settings: Settings) -> HttpServer:
    return HttpServer(
        "app.serve:build",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads + settings.body_threads,
        backpressure=allow_connections(settings.max_connections),
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=settings.max_header_bytes
        ),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_S,
        drain_delay_s=settings.drain_delay_s,
        send_timeout_s=settings.send_timeout_s,
        log_level=LogLevels.error,
    )


def _watch_signals(drain: Callable[[], None], end: Callable[[], None]) -> None:
    """Call `drain` at the supervisor's word, and both at a signal to end.

    granian then waits for its responses; those to followers of the log take a minute. It replaces signal handlers, but
    not the wake-up descriptor.
    """
    reading, writing = socket.socketpair()  # the one thing that signals are written to on Windows too
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    if DRAIN_SIGNAL is not None:
        signal.signal(DRAIN_SIGNAL, lambda *_: None)  # only signals with a handler are written

    def wait_for_signal() -> None:
        received: set[int] = set()
        while not received & END_SIGNALS:
            received = set(reading.recv(64)) & (END_SIGNALS | {DRAIN_SIGNAL})
            if received:
                drain()
        end()

    threading.Thread(target=wait_for_signal, name="signal-watch", daemon=True).start()


def _follow_supervisor() -> None:
    """End this worker when the supervisor has ended: one that is killed can't stop its workers."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return

    def wait_for_supervisor() -> None:
        supervisor.join()
        # At once: a worker that lingered would hold the port and the lease of its scrape.
        os._exit(1)

    threading.Thread(target=wait_for_supervisor, name="supervisor-watch", daemon=True).start()
