"""Book covers: the title on a colour that depends on the book."""

import textwrap
from html import escape

from demo.site.books import DemoBook

LINE_CHARACTERS = 14
MAX_LINES = 6


def cover(book: DemoBook) -> str:
    """Draw the cover as an SVG image of 240 by 360 pixels."""
    hue = int(book.upc[:4], 16) % 360
    lines = textwrap.wrap(book.title, LINE_CHARACTERS, max_lines=MAX_LINES, placeholder=" …")
    text = "".join(
        f'<tspan x="120" y="{110 + 30 * n}">{escape(line)}</tspan>' for n, line in enumerate(lines)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 360" width="240" height="360">
<rect width="240" height="360" fill="hsl({hue}, 45%, 38%)"/>
<rect x="14" y="14" width="212" height="332" fill="none" stroke="hsl({hue}, 60%, 80%)" stroke-width="2"/>
<text font-family="Georgia, serif" font-size="24" fill="#fff" text-anchor="middle">{text}</text>
<text x="120" y="325" font-family="Georgia, serif" font-size="14" fill="#fff" text-anchor="middle">\
{escape(book.category)}</text>
</svg>
"""
