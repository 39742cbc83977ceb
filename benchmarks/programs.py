"""Programs that a benchmark starts and ends by their own ids, and the memory they take."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.server import Server

ROOT = Path(__file__).parents[1]


class ShopServer(Server):
    """The shop in the session of its peers and of the load: Linux divides the processor between sessions first."""

    own_session = False


@contextmanager
def running(command: Sequence[str], url: str, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server from its first response on `url` to the end of the block.

    Raises requests.ConnectionError without a response within 20 s.
    """
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        wait_for(url)
        yield
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, within_s: float = 20) -> None:
    """Wait for the first response. Raises requests.ConnectionError where there is none in time."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            requests.get(url, timeout=2)
            return
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def memory_mb(process_id: int) -> float | None:
    """Return the proportional set size of a process and all that it started, in MB; None where the system has none."""
    try:
        return sum(_pss_kb(found) for found in descendants(process_id)) / 1_000
    except FileNotFoundError:
        return None


def descendants(process_id: int) -> list[int]:
    """Return a process and all that it started. Raises FileNotFoundError where the system doesn't tell."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    children = [child for task in tasks for child in _children(task)]
    return [process_id, *(found for child in children for found in descendants(child))]


def _children(task: Path) -> list[int]:
    try:
        return [int(child) for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
        return []


def _pss_kb(process_id: int) -> float:
    """Return kilobytes of 1,000 bytes; the kernel's are of 1,024."""
    lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
    return sum(1.024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
