"""The rule by which a soak is judged, and its report."""

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

DOCUMENT = Path(__file__).parents[1] / "docs" / "soak.md"
TEMPLATE = Path(__file__).with_name("soak.template.md")
TOLERANCE = 0.10
"""By how much the last third's median may exceed the middle third's."""
BYTES_PER_ORDER = 4_000
"""What an order takes in the database, with its lines, movements, histories and indexes."""
SPARE_DATABASE_BYTES = 4_000_000
"""What publications, runs and free pages may take beside the orders."""
P99_FLOOR_MS = 50.0
"""A p99 below this may vary: it is a few pauses of the machine."""
_SLACK = {"memory_mb": 10.0, "open_files": 40.0, "threads": 15.0, "series": 20.0}
"""What each may differ by in any case: connections and threads come and go."""
_WIDTH, _HEIGHT, _ROW = 900, 90, 130


@dataclass(frozen=True, slots=True)
class Sample:
    """The shop and its friendly clients at one moment; latencies are of the time since the sample before."""

    at_s: float
    memory_mb: float
    open_files: int
    threads: int
    series: int
    log_bytes: int
    database_bytes: int
    orders: int
    requests: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Finding:
    holds: bool
    sentence: str


def judge(samples: Sequence[Sample], failures: Sequence[str], most_log_bytes: int) -> list[Finding]:
    """Compare the medians of the last third with those of the middle third; the first one warms up."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    findings = [_flat(name, slack, middle, last) for name, slack in _SLACK.items()]
    before, after = _median("p99_ms", middle), _median("p99_ms", last)
    findings.append(
        _finding(
            after <= max(before * 1.5, P99_FLOOR_MS),
            f"friendly p99: {before:.1f} ms in the middle third, {after:.1f} ms in the last "
            f"(at most half more, or {P99_FLOOR_MS:.0f} ms)",
        )
    )
    log = max(sample.log_bytes for sample in samples)
    findings.append(_finding(log <= most_log_bytes, f"log: {log:,} bytes at most (limit {most_log_bytes:,})"))
    orders = samples[-1].orders - samples[0].orders
    grown = samples[-1].database_bytes - samples[0].database_bytes
    allowed = orders * BYTES_PER_ORDER + SPARE_DATABASE_BYTES
    findings.append(
        _finding(grown <= allowed, f"database: {grown:,} bytes for {orders:,} orders (limit {allowed:,})")
    )
    first = f": {failures[0]}" if failures else ""
    requests = sum(sample.requests for sample in samples)
    findings.append(_finding(not failures, f"friendly requests: {requests:,}, {len(failures)} failed{first}"))
    return findings


def _flat(name: str, slack: float, middle: Sequence[Sample], last: Sequence[Sample]) -> Finding:
    before, after = _median(name, middle), _median(name, last)
    limit = max(before * (1 + TOLERANCE), before + slack)
    text = f"{name}: {before:,.0f} in the middle third, {after:,.0f} in the last (limit {limit:,.0f})"
    return _finding(after <= limit, text)


def _finding(holds: bool, text: str) -> Finding:
    return Finding(holds, f"{'flat' if holds else 'GROWS'}: {text}")


def _median(name: str, samples: Sequence[Sample]) -> float:
    return statistics.median(float(getattr(sample, name)) for sample in samples)


def write_report(samples: Sequence[Sample], findings: Sequence[Finding], hostile: Mapping[str, int]) -> None:
    """Write docs/soak.md and, beside it, the curves and the samples."""
    text = Template(TEMPLATE.read_text()).substitute(
        minutes=f"{samples[-1].at_s / 60:.0f}",
        hostile="\n".join(f"| `{kind}` | {number} |" for kind, number in hostile.items()),
        findings="\n".join(f"- {finding.sentence}" for finding in findings),
        tolerance=f"{TOLERANCE:.0%}",
    )
    DOCUMENT.write_text(text)
    DOCUMENT.with_suffix(".svg").write_text(draw_curves(samples))
    with DOCUMENT.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(Sample)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(sample) for sample in samples)


def draw_curves(samples: Sequence[Sample]) -> str:
    """Return an SVG with a curve over time for each column, from zero to its highest value."""
    names = [column.name for column in fields(Sample) if column.name not in ("at_s", "requests", "p50_ms")]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_ROW * len(names) + 20}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_ROW * len(names) + 20}" fill="white"/>',
    ]
    for row, name in enumerate(names):
        parts += _curve(name, samples, 30 + row * _ROW)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _curve(name: str, samples: Sequence[Sample], top: int) -> list[str]:
    points = [(sample.at_s, float(getattr(sample, name))) for sample in samples]
    points = [(at_s, value) for at_s, value in points if not math.isnan(value)]
    most, until = max((value for _, value in points), default=0.0) or 1.0, samples[-1].at_s or 1.0
    line = " ".join(
        f"{60 + (_WIDTH - 80) * at_s / until:.1f},{top + _HEIGHT * (1 - value / most):.1f}"
        for at_s, value in points
    )
    return [
        f'<text x="20" y="{top - 8}" font-weight="bold">{escape(name)}, at most {most:,.0f}</text>',
        f'<line x1="60" x2="{_WIDTH - 20}" y1="{top + _HEIGHT}" y2="{top + _HEIGHT}" stroke="#ddd"/>',
        f'<text x="{_WIDTH - 20}" y="{top + _HEIGHT + 16}" text-anchor="end">{until / 60:.1f} min</text>',
        f'<polyline points="{line}" fill="none" stroke="#1b6ca8" stroke-width="2"/>',
    ]
