"""The measured figures as Markdown."""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.growth import Measured
from benchmarks.profiles import hottest
from benchmarks.results import Row, Target

_VERDICTS = {True: "yes", False: "**no**", None: ""}


def comparison_table(rows: Sequence[Row]) -> str:
    """Return a line for each row: target, median and range of the pairs, medians of both sides, verdict."""
    lines = [
        [
            row.work,
            row.against,
            f"**{_target(row.target)}**" if row.target else "",
            f"{number(row.median)}{'' if row.theirs else f' {row.unit}'}",
            f"{number(min(row.values))} to {number(max(row.values))}",
            f"{number(statistics.median(row.ours))} {row.unit}",
            f"{number(statistics.median(row.theirs))} {row.unit}" if row.theirs else "",
            _VERDICTS[row.holds],
        ]
        for row in rows
    ]
    return _table(["work", "against", "target", "measured", "range", "the shop", "the other", "holds"], lines)


def growth_table(measured: Measured) -> str:
    """Return a line for each figure, with its median at each number of books."""
    sizes = sorted({size for by_size in measured.values() for size in by_size})
    lines = [
        [name, *(number(statistics.median(by_size[size])) if size in by_size else "" for size in sizes)]
        for name, by_size in measured.items()
    ]
    return _table(["", *(f"{size:,} books" for size in sizes)], lines)


def profile_tables(profiles: Mapping[str, str]) -> str:
    """Return a section for each folded profile, with its hottest functions."""
    sections = []
    for path, folded in profiles.items():
        lines = [[f"`{name}`", f"{own:.0%}", f"{together:.0%}"] for name, own, together in hottest(folded)]
        sections.append(f"### {path}\n\n{_table(['function', 'own', 'with callees'], lines)}")
    return "\n\n".join(sections)


def number(value: float) -> str:
    """Return a number with two or three digits that matter."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _target(target: Target) -> str:
    return f"at {'most' if target.at_most else 'least'} {target.bound:.2f}".rstrip("0").rstrip(".")


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *lines])
