"""Several processes, several threads each, one log."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.serve import DRAIN_S
from tests.support.server import ROOT, Server

PROCESSES, THREADS, LINES = 4, 4, 3_000
MAX_BYTES, FILES = 3_000_000, 20
"""Others write into the full file while one rotates it: on a busy machine, small files would grow by more than 20%."""

WRITE = """
import sys, threading
from pathlib import Path
from app.observability.logs.writer import LogWriter

path, process, threads, lines, max_bytes, files = Path(sys.argv[1]), *map(int, sys.argv[2:])
writer = LogWriter(path, max_bytes, files)

def work(thread):
    for number in range(lines):
        text = f"{process}-{thread}-{number}"
        writer.write(f'{{"id": "{text}", "filler": "{"x" * (100 + number % 300)}"}}\\n'.encode())

sys.stdin.readline()  # until all processes are ready
workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
sys.exit(writer.lines_lost)
"""


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp("server") / "data"
    with Server(data_dir, WEB_WORKERS="4", LOG_MAX_BYTES="20000", LOG_FILES="20") as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A server of four workers; tests may end it."""
    if not shared_server.running:
        shared_server.start()
    return shared_server


def read_files(path: Path) -> list[bytes]:
    files = [file for file in path.parent.glob("app.jsonl*") if file.suffix != ".lock"]
    return [line for file in files for line in file.read_bytes().splitlines()]


def test_no_line_is_lost_or_torn_over_several_rotations(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    sizes = map(str, (THREADS, LINES, MAX_BYTES, FILES))
    arguments = [str(path), "", *sizes]
    writers = []
    for process in range(PROCESSES):
        arguments[1] = str(process)
        writers.append(
            subprocess.Popen([sys.executable, "-c", WRITE, *arguments], cwd=ROOT, stdin=subprocess.PIPE)
        )
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    codes = []
    for writer in writers:
        writer.communicate(timeout=60)
        codes.append(writer.returncode)
    assert codes == [0] * PROCESSES
    rotations = len(list(tmp_path.glob("app.jsonl.*"))) - 1
    assert 3 <= rotations < FILES - 1
    ids = [json.loads(line)["id"] for line in read_files(path)]
    assert len(ids) == PROCESSES * THREADS * LINES
    assert len(set(ids)) == len(ids)
    assert all(file.stat().st_size < 1.2 * MAX_BYTES for file in tmp_path.iterdir())


def test_every_request_to_several_workers_is_in_the_one_log(server: Server) -> None:
    ids = {server.get("/api/v1/stats/overview").headers["X-Request-ID"] for _ in range(300)}
    lines = [json.loads(line) for line in read_files(server.data_dir / "logs" / "app.jsonl")]
    logged = [line["request_id"] for line in lines if line.get("route") == "/api/v1/stats/overview"]
    assert len(list((server.data_dir / "logs").glob("app.jsonl.[0-9]*"))) >= 2
    assert set(logged) == ids
    assert len(logged) == 300
    console = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert ids <= {line["request_id"] for line in console}


def test_a_tail_shows_what_other_workers_write_and_ends_with_the_server(server: Server) -> None:
    with server.get("/api/v1/logs?tail=true&format=ndjson&route=/api/v1/categories", stream=True) as stream:
        lines = stream.iter_lines()
        ids = [server.get("/api/v1/categories").headers["X-Request-ID"] for _ in range(30)]
        followed: list[str] = []
        while len(followed) < len(ids):
            line = next(lines)
            if line:
                followed.append(json.loads(line)["request_id"])
        assert sorted(followed) == sorted(ids)
        began = time.monotonic()
        assert server.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < DRAIN_S / 2


def test_a_tail_whose_client_left_gives_its_place_back(tmp_path: Path) -> None:
    tail = "/api/v1/logs?tail=true&format=ndjson"
    with Server(tmp_path / "data", WEB_THREADS="2") as server:  # one place: a thread stays free for others
        with server.get(tail, stream=True) as stream:
            next(stream.iter_lines())
            assert server.get(tail).status_code == 429
        deadline = time.monotonic() + 20
        status = 429
        while status == 429:
            assert time.monotonic() < deadline, "the place is still taken"
            with server.get(tail, stream=True) as stream:
                status = stream.status_code
        assert status == 200
