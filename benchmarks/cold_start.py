"""How long `python run.py` takes from nothing to its first healthy answer, and from there to the same again.

    .venv/bin/python benchmarks/cold_start.py [--times 5]

Prints the median in seconds of starts on an empty data directory and on a filled one, alternating.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.server import Server


def seconds_to_healthy(data_dir: Path) -> float:
    server = Server(data_dir, PASSWORD_HASH_MEMORY_KIB="19456", PASSWORD_HASH_ROUNDS="2")
    began = time.perf_counter()
    server.start()
    took = time.perf_counter() - began
    server.end(signal.SIGTERM)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description="seconds from `python run.py` to a healthy answer")
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    empty, filled = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            data_dir = Path(folder) / str(number)
            empty.append(seconds_to_healthy(data_dir))
            filled.append(seconds_to_healthy(data_dir))
    sys.stdout.write(
        f"empty data directory: {statistics.median(empty):.2f} s   filled: {statistics.median(filled):.2f} s   "
        f"(medians of {times})\n"
    )


if __name__ == "__main__":
    main()
