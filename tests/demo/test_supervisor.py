from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from demo.supervisor import StopRequested, Supervisor


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_watch_and_its_handler_is_restored(number: signal.Signals, tmp_path: Path) -> None:
    before = signal.getsignal(number)
    with pytest.raises(StopRequested), Supervisor(tmp_path / "logs", tmp_path) as supervisor:
        for _ in supervisor.watch():
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
