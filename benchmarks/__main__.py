"""Measure the shop beside its peers, at several sizes, and profile it: `make bench`.

    .venv/bin/python -m benchmarks [--quick] [--only one,orders] [--pairs 7] [--seconds 2]

A whole run takes under 25 minutes and writes docs/performance.md and docs/performance.svg; with --quick or --only the
tables are printed and nothing is written. Exits with 1 where something could not be measured.
"""

import argparse
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from string import Template

import requests

from benchmarks.chart import draw
from benchmarks.comparison import Options, compare_list, compare_one, compare_orders, compare_search
from benchmarks.growth import Measured, growth_rows, measure_growth
from benchmarks.latency import measure_latency
from benchmarks.load import MISSING, LoadFailed, wrk_is_missing
from benchmarks.profiles import measure_profiles
from benchmarks.programs import ROOT
from benchmarks.report import comparison_table, growth_table, profile_tables
from benchmarks.resources import measure_crawl, measure_memory, measure_start
from benchmarks.results import Row

COMPARISONS: dict[str, Callable[[Options, Path], list[Row]]] = {
    "one": compare_one,
    "list": compare_list,
    "search": compare_search,
    "orders": compare_orders,
    "latency": measure_latency,
    "crawl": measure_crawl,
    "memory": measure_memory,
    "start": measure_start,
}
SECTIONS = (*COMPARISONS, "growth", "profiles")
SIZES = (1_000, 10_000, 100_000, 1_000_000)
DOCUMENT = ROOT / "docs" / "performance.md"
TEMPLATE = Path(__file__).with_name("performance.template.md")
FAILURES = (
    AssertionError,
    LoadFailed,
    OSError,
    RuntimeError,
    requests.RequestException,
    subprocess.SubprocessError,
    ValueError,
)
"""What a section raises that could not be measured; the others are measured all the same."""


@dataclass(slots=True)
class Report:
    rows: dict[str, list[Row]] = field(default_factory=dict)
    growth: Measured = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)

    def measure(self, section: str, options: Options, folder: Path) -> None:
        if section == "growth":
            self.growth = measure_growth(options, folder)
        elif section == "profiles":
            self.profiles = measure_profiles(options, folder)
        else:
            self.rows[section] = COMPARISONS[section](options, folder)

    def tables(self) -> dict[str, str]:
        rows = [row for section in self.rows.values() for row in section]
        grown = growth_rows(self.growth) if self.growth else []
        return {
            "comparison": comparison_table(rows) if rows else "",
            "growth_targets": comparison_table(grown) if grown else "",
            "growth": growth_table(self.growth) if self.growth else "",
            "profiles": profile_tables(self.profiles),
        }


def main() -> int:
    arguments = _arguments()
    if wrk_is_missing():
        sys.stderr.write(f"{MISSING}\n")
        return 1
    options = Options(arguments.pairs, arguments.seconds, arguments.sizes, arguments.site)
    logging.disable(logging.WARNING)  # the shops made here are demonstrations, and say so each time
    report, failed = Report(), False
    for section in arguments.only:
        sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {section}\n")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            try:
                report.measure(section, options, Path(folder))
            except FAILURES as error:
                sys.stderr.write(f"{section} could not be measured: {error!r}\n")
                failed = True
    tables = report.tables()
    sys.stdout.write("\n\n".join(table for table in tables.values() if table) + "\n")
    if arguments.quick or tuple(arguments.only) != SECTIONS or failed:
        return int(failed)
    _write(report, tables, options)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one pair of a second each, up to 10,000 books")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=SECTIONS,
        metavar="SECTION,...",
        help=", ".join(SECTIONS),
    )
    parser.add_argument(
        "--pairs", type=int, default=7, help="rounds of each comparison; default: %(default)s"
    )
    parser.add_argument("--seconds", type=int, default=2, help="of each run of wrk; default: %(default)s")
    parser.add_argument(
        "--sizes", type=_sizes, default=SIZES, metavar="N,...", help="numbers of books for growth"
    )
    parser.add_argument(
        "--site", metavar="URL", help="a shop to crawl that takes 50 ms a page; default: the demo's"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - set(SECTIONS):
        parser.error(f"--only knows {', '.join(SECTIONS)}, not {', '.join(sorted(unknown))}")
    if arguments.quick:
        arguments.pairs, arguments.seconds, arguments.sizes = 1, 1, SIZES[:2]
    return arguments


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(size) for size in text.split(",")))


def _write(report: Report, tables: dict[str, str], options: Options) -> None:
    text = Template(TEMPLATE.read_text()).substitute(
        tables,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        python=platform.python_version(),
        pairs=options.pairs,
        seconds=options.seconds,
    )
    DOCUMENT.write_text(text)
    DOCUMENT.with_suffix(".svg").write_text(draw(report.rows["one"], report.growth))
    sys.stderr.write(f"written: {DOCUMENT}\n")


if __name__ == "__main__":
    sys.exit(main())
