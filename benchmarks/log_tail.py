"""Measure time and memory of reading the last lines of a large log, as `GET /api/v1/logs` does.

    .venv/bin/python benchmarks/log_tail.py [--megabytes 1000] [--lines 100] [--times 20]

Makes the log in a temporary folder. Prints the median and the worst time, the growth of the process' peak memory,
the bytes read, and the same for a filter that matches nothing, which ends after its share of the log.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.observability.logs.filter import LogFilter
from app.observability.logs.reader import LogReader
from tests.support.log_lines import write_log


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(reader: LogReader, name: str, log_filter: LogFilter, lines: int, times: int) -> None:
    before, milliseconds = peak_bytes(), []
    for _ in range(times):
        began = time.perf_counter()
        page = reader.page(log_filter, lines)
        milliseconds.append((time.perf_counter() - began) * 1_000)
    growth = (peak_bytes() - before) / 1e6
    sys.stdout.write(
        f"{name}: {len(page.lines)} lines, median {statistics.median(milliseconds):.2f} ms, "
        f"worst {max(milliseconds):.2f} ms, peak memory +{growth:.1f} MB, {page.scanned_bytes:,} bytes scanned\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="the last lines of a large log: time and memory")
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.jsonl"
        size = write_log(path, options.megabytes * 1_000_000)
        sys.stdout.write(f"a log of {size:,} bytes\n")
        reader = LogReader(path, files=5)
        measure(reader, f"the last {options.lines}", LogFilter(), options.lines, options.times)
        nothing = LogFilter(text="a text that no line has")
        measure(reader, "a filter that matches nothing", nothing, options.lines, min(options.times, 3))


if __name__ == "__main__":
    main()
