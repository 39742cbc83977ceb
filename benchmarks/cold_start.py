"""Measure how long `python run.py` takes to its first healthy response, on empty and on filled data.

    .venv/bin/python benchmarks/cold_start.py [--times 5] [--beside /another/checkout]

Prints the median in seconds of starts on an empty data directory and on a filled one, alternating; and those of
another checkout of this project, with the same Python and packages, in turns.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.server import ROOT, Server


def seconds_to_healthy(root: Path, data_dir: Path) -> float:
    server = Server(
        data_dir, root, PASSWORD_HASH_MEMORY_KIB="19456", PASSWORD_HASH_ROUNDS="2", ML_AUTO_TRAIN="true"
    )
    began = time.perf_counter()
    server.start()
    seconds = time.perf_counter() - began
    server.end(signal.SIGTERM)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="seconds from `python run.py` to a healthy response")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--beside", type=Path)
    options = parser.parse_args()
    roots = [ROOT, *([options.beside.absolute()] if options.beside else [])]
    empty: dict[Path, list[float]] = {root: [] for root in roots}
    filled: dict[Path, list[float]] = {root: [] for root in roots}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.times):
            for root in roots:
                data_dir = Path(folder) / f"{number}-{roots.index(root)}"
                empty[root].append(seconds_to_healthy(root, data_dir))
                filled[root].append(seconds_to_healthy(root, data_dir))
    for root in roots:
        sys.stdout.write(
            f"empty data directory: {statistics.median(empty[root]):.2f} s   "
            f"filled: {statistics.median(filled[root]):.2f} s   (medians of {options.times}; {root})\n"
        )


if __name__ == "__main__":
    main()
