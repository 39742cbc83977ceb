"""The chart beside the tables: GET one book of the shop and its peers, and growth."""

import math
import statistics
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from benchmarks.growth import ANY_BOOK, ONE_BOOK, ORDERS, STATISTICS, Measured
from benchmarks.report import number
from benchmarks.results import Row

WIDTH = 900
_COLOURS = ("#1b6ca8", "#c7522a", "#3c8d5a", "#7b4ea3")
_LABEL_WIDTH, _BAR_HEIGHT = 400, 22
_PLOT_HEIGHT, _HIGHEST_SHARE = 220, 1.25


def draw(rows: Sequence[Row], measured: Measured) -> str:
    """Return an SVG with the rates of `rows`, which are of one work, above the rates by number of books."""
    bars = _bars(rows)
    top = 70 + _BAR_HEIGHT * (len(rows) + 1)
    height = top + _PLOT_HEIGHT + 70
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(20, 28, f"{rows[0].work}: {rows[0].unit}", weight="bold"),
        *bars,
        _text(20, top, "Rates by number of books, as a share of the smallest shop's", weight="bold"),
        *_lines(
            {name: measured[name] for name in (ONE_BOOK, ANY_BOOK, STATISTICS, ORDERS) if name in measured},
            top + 20,
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bars(rows: Sequence[Row]) -> list[str]:
    rates = {"the shop": statistics.median(rows[0].ours)}
    rates |= {row.against: statistics.median(row.theirs) for row in rows}
    longest, parts = max(rates.values()), []
    for place, (name, rate) in enumerate(rates.items()):
        y = 42 + place * _BAR_HEIGHT
        width = (WIDTH - _LABEL_WIDTH - 90) * rate / longest
        parts += [
            _text(_LABEL_WIDTH - 8, y + 14, name.replace("`", ""), anchor="end"),
            f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="{_BAR_HEIGHT - 4}" '
            f'fill="{_COLOURS[1 if place else 0]}"/>',
            _text(_LABEL_WIDTH + width + 6, y + 14, number(rate)),
        ]
    return parts


def _lines(series: Mapping[str, Mapping[int, tuple[float, ...]]], top: int) -> list[str]:
    sizes = sorted({size for by_size in series.values() for size in by_size})
    left, right = 60, WIDTH - 260
    logs = [math.log10(size) for size in sizes]
    span = (logs[-1] - logs[0]) or 1
    xs = {size: left + (right - left) * (log - logs[0]) / span for size, log in zip(sizes, logs, strict=True)}

    def y(share: float) -> float:
        return top + _PLOT_HEIGHT * (1 - min(share, _HIGHEST_SHARE) / _HIGHEST_SHARE)

    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts += [
            f'<line x1="{left}" x2="{right}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#ddd"/>',
            _text(left - 8, y(share) + 4, f"{share:g}", anchor="end"),
        ]
    parts += [_text(xs[size], top + _PLOT_HEIGHT + 20, f"{size:,}", anchor="middle") for size in sizes]
    for place, (name, by_size) in enumerate(series.items()):
        smallest = statistics.median(by_size[sizes[0]])
        shares = {size: statistics.median(values) / smallest for size, values in by_size.items()}
        points = " ".join(f"{xs[size]:.1f},{y(share):.1f}" for size, share in sorted(shares.items()))
        colour = _COLOURS[place]
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<rect x="{right + 20}" y="{top + 22 * place}" width="12" height="12" fill="{colour}"/>',
            _text(right + 38, top + 22 * place + 11, name.rsplit(", ", 1)[0]),
        ]
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )
