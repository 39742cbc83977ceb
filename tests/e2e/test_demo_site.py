"""`python -m demo.site`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import requests

from tests.support.server import ROOT


def test_the_command_serves_until_interrupted() -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "demo.site", "--port", "0", "--books", "30"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        [url] = re.findall(r"http://\S+", process.stderr.readline())
        assert requests.get(url, timeout=5).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
