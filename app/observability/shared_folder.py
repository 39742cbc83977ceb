"""The folder in which several worker processes add up their metrics, as prometheus_client does."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from app.processes import has_ended

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which prometheus_client finds the folder."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder for this user alone is made in it
BYTES_PER_WORKER = 1024 * 1024


def make_shared_folder(data_dir: Path, workers: int) -> str:
    """Return a new folder of this server, after removing those of killed servers. Raises OSError."""
    status = data_dir.stat()
    prefix = f"livraria-metrics-{status.st_dev:x}-{status.st_ino:x}-"
    for parent in (SHARED_MEMORY, data_dir):
        for folder in parent.glob(f"{prefix}*"):
            if not _is_served(folder.name.removeprefix(prefix).partition("-")[0]):
                shutil.rmtree(folder, ignore_errors=True)
    prefix += f"{os.getpid()}-"
    # The library maps sparse files into memory: where a full disk can't give a page, touching it kills the process.
    with suppress(OSError):
        if shutil.disk_usage(SHARED_MEMORY).free >= workers * BYTES_PER_WORKER:
            return tempfile.mkdtemp(prefix=prefix, dir=SHARED_MEMORY)
    return tempfile.mkdtemp(prefix=prefix, dir=data_dir)


def _is_served(pid: str) -> bool:
    # In a container, this process often has the pid of the one before.
    return pid.isdigit() and int(pid) != os.getpid() and not has_ended(int(pid))
