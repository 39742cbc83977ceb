"""The production WSGI server, and what each of its worker processes serves."""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import multiprocessing.util
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from app.observability.metrics import FOLDER_VARIABLE
from app.processes import has_ended
from app.settings import ENV_FILE, InvalidSettings, Settings, read_settings
from app.storage.atomic_write import replace_file

log = logging.getLogger(__name__)

EXIT_INVALID_SETTINGS = 2
HEADER_TIMEOUT_MS = 5_000
DRAIN_S = 15
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder that nobody else can read is made in it
METRICS_BYTES_PER_WORKER = 1024 * 1024


def main() -> None:
    """Serve as the environment and `.env` say, until SIGTERM or SIGINT; exits 2 where they make no sense."""
    try:
        settings = read_settings(os.environ, ENV_FILE)
        os.umask(0o077)  # the database holds password hashes: nobody else on the machine reads it
        _check_surroundings(settings)
        _share_metrics(settings)
    except InvalidSettings as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_INVALID_SETTINGS)
    # Each thread that answers would have a team of its own to predict with, of as many threads as there are cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _server(settings).serve()


def build() -> object:
    """The WSGI application of one worker process, ready to answer."""
    # Imported here, so that the supervising process stays small and starts its workers at once.
    from sqlalchemy.exc import DBAPIError

    from app.factory import create_app
    from app.observability.logs.handlers import configure_logging
    from app.shop import Shop
    from app.start import prepare

    settings = with_own_secret(read_settings(os.environ, ENV_FILE))
    _follow_supervisor()
    app = create_app(settings)
    shop: Shop = app.extensions["shop"]
    configure_logging(
        settings.log_level,
        readable=not settings.production and sys.stderr.isatty(),
        writer=shop.log_writer,
    )
    try:
        prepare(app)
    except DBAPIError as error:
        log.critical("database_unusable", extra={"reason": str(error.orig)})
        raise SystemExit(1) from None
    shop.sweeper.start()
    shop.auditor.start()
    shop.trainer.start()
    _watch_signals(shop.log_tails.stop)
    # A worker ends through multiprocessing, which runs its own finalizers but not atexit's.
    multiprocessing.util.Finalize(app, shop.stop, exitpriority=10)
    log.info("ready", extra={"url": f"http://{settings.host}:{settings.port}/"})
    return app


def _check_surroundings(settings: Settings) -> None:
    """Raises InvalidSettings where the settings make sense, but not on this machine now."""
    problems = []
    try:
        with_own_secret(settings)
    except OSError as error:
        problems.append(f"DATA_DIR ({settings.data_dir}) não pode ser usado: {error.strerror}")
    problems += _port_problems(settings.host, settings.port)
    if problems:
        raise InvalidSettings(problems)


def _share_metrics(settings: Settings) -> None:
    """Let several workers add up their figures, from zero as after any restart. Raises InvalidSettings."""
    if settings.web_workers == 1:
        return
    try:
        folder = _metrics_folder(settings.data_dir, settings.web_workers * METRICS_BYTES_PER_WORKER)
    except OSError as error:
        problem = f"DATA_DIR ({settings.data_dir}) não pode ser usado: {error.strerror}"
        raise InvalidSettings([problem]) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[FOLDER_VARIABLE] = folder


def _metrics_folder(data_dir: Path, needed_bytes: int) -> str:
    """A new folder of this server's own, without those that killed ones left. Raises OSError."""
    found = data_dir.stat()
    prefix = f"livraria-metrics-{found.st_dev:x}-{found.st_ino:x}-"
    for parent in (SHARED_MEMORY, data_dir):
        for left in parent.glob(f"{prefix}*"):
            if not _is_served(left.name.removeprefix(prefix).partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
    prefix += f"{os.getpid()}-"
    # The library maps sparse files into memory: where a full disk can't give a page, touching it kills the process.
    with suppress(OSError):
        if shutil.disk_usage(SHARED_MEMORY).free >= needed_bytes:
            return tempfile.mkdtemp(prefix=prefix, dir=SHARED_MEMORY)
    return tempfile.mkdtemp(prefix=prefix, dir=data_dir)


def _is_served(pid: str) -> bool:
    # In a container, this process often has the number of the one before.
    return pid.isdigit() and int(pid) != os.getpid() and not has_ended(int(pid))


def _port_problems(host: str, port: int) -> list[str]:
    # Asked both ways: granian shares its port with whoever else does, so that binding to it alone may succeed.
    somewhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound to
    try:
        socket.create_connection((somewhere, port), timeout=1).close()
    except OSError:
        pass
    else:
        return [f"FLASK_APP_PORT: outro programa já atende em {host}:{port}"]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return [f"FLASK_APP_PORT: não é possível escutar em {host}:{port}: {error.strerror}"]
    return []


def with_own_secret(settings: Settings) -> Settings:
    """`settings` with a JWT secret, made once and kept in the data directory where none was given.

    The supervisor does this before it starts its workers, so that they all read the same one. Raises OSError.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if settings.jwt_secret_key:
        return settings
    path = settings.data_dir / ".jwt_secret"
    if not path.exists() or not path.read_text().strip():
        replace_file(path, secrets.token_hex(32).encode(), mode=0o600)
    return replace(settings, jwt_secret_key=path.read_text().strip())


def _server(settings: Settings) -> MPServer:
    return MPServer(
        "app.serve:build",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_S,
        log_level=LogLevels.error,
    )


def _watch_signals(end: Callable[[], None]) -> None:
    """Call `end` when this worker is told to end: it waits for its answers, and some would go on for a minute.

    granian puts its own handlers in the place of whatever stands here, but not in that of the wake-up descriptor.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wait_for_it() -> None:
        while not set(os.read(reading, 64)) & {signal.SIGTERM, signal.SIGINT}:
            pass
        end()

    threading.Thread(target=wait_for_it, name="signal-watch", daemon=True).start()


def _follow_supervisor() -> None:
    """End this worker when the supervisor is gone: one killed outright can't tell its workers to stop."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return

    def wait_for_its_end() -> None:
        supervisor.join()
        # At once, as the supervisor died: a worker that lingered would hold the port and its scrape's lease.
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait_for_its_end, name="supervisor-watch", daemon=True).start()
