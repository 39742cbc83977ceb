"""A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from tests.support.programs import need
from tests.support.server import free_port

_ELSEWHERE = ("-E", "UTF8", "--locale-provider=icu", "--icu-locale=pt-BR")
"""A shop's server sorts and counts hours as its own country does; the shop may not depend on either."""


@contextmanager
def run_postgresql(folder: Path) -> Iterator[str]:
    """Start a server with its cluster in `folder` and yield its URL; skip or fail the test where there is none."""
    program = need("postgres", debian_package="postgresql")
    initdb = str(Path(program).resolve().with_name("initdb"))
    port = free_port()
    as_postgres = _drop_root(folder)
    cluster = folder / "cluster"
    subprocess.run(
        [*as_postgres, initdb, "-D", str(cluster), "-U", "postgres", "-A", "trust", *_ELSEWHERE, "--no-sync"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    options = ["-D", str(cluster), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
    options += [*("-c", "timezone=America/Sao_Paulo"), *("-c", "max_connections=300")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*as_postgres, program, *options], stdout=log, stderr=log, cwd=folder)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}"
    try:
        _wait_for_connection(f"{url}/postgres", process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait_for_connection(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = create_engine(url)
    deadline = time.monotonic() + 30
    while True:
        assert time.monotonic() < deadline, log.read_text()
        try:
            engine.connect().close()
        except OperationalError:
            assert process.poll() is None, log.read_text()
        else:
            break
    engine.dispose()


def _drop_root(folder: Path) -> list[str]:
    """Return the command that runs another as postgres: PostgreSQL refuses to run as root, as in containers and CI."""
    if os.geteuid() != 0:
        return []
    import pwd  # which Windows lacks

    postgres: Any = pwd.getpwnam("postgres")
    for path in (folder, *folder.parents):
        if path.owner() == "root" and str(path).startswith("/tmp/"):
            path.chmod(path.stat().st_mode | 0o011)
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return ["setpriv", f"--reuid={postgres.pw_uid}", f"--regid={postgres.pw_gid}", "--clear-groups"]
