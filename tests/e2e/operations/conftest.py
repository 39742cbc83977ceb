from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.server import ROOT, Server

STARTS_AT_ONCE = 2
"""A start is nothing but CPU time: all at once would miss their deadline on two cores."""


@pytest.fixture
def serve(tmp_path: Path, ready_data: Path) -> Iterator[Callable[..., Server]]:
    """Start real servers, each on a data directory of its own; any number of threads may call it."""
    gate = threading.Semaphore(STARTS_AT_ONCE)
    with ExitStack() as servers:

        def start(name: str, **environment: str) -> Server:
            shutil.copytree(ready_data, tmp_path / name / "data")
            with gate:
                return servers.enter_context(Server(tmp_path / name / "data", ROOT, **environment))

        yield start
