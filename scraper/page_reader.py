"""Reading of single fields from a page, for both kinds of page."""

import re
from decimal import Decimal
from urllib.parse import urldefrag, urljoin, urlsplit

from scraper.errors import MalformedPage

PRICE = re.compile(r"£(\d{1,3}(?:,\d{3})+|\d{1,7})\.(\d{2})", re.ASCII)
IN_STOCK = re.compile(r"In stock \((\d{1,9}) available\)", re.ASCII)


class PageReader:
    """Read fields from a page and collect the problems: a field that cannot be read yields an empty value.

    `label` is the name of a field in the problems, in Portuguese.
    """

    def __init__(self, body: bytes, url: str) -> None:
        """Take `body`, found at `url`. Raises MalformedPage if it is empty or not UTF-8."""
        self.url = url
        self.problems: list[str] = []
        if not body.strip():
            raise MalformedPage(url, ("página vazia",))
        try:
            # The shop's header names no charset; its pages are UTF-8, and a wrong guess turns "£" into "Â£".
            self.text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedPage(url, (f"não é UTF-8 (byte {error.start})",)) from error

    def missing(self, label: str) -> None:
        self.problems.append(f"sem {label}")

    def unreadable(self, label: str, text: str) -> None:
        self.problems.append(f"{label} ilegível: {text[:60]!r}")

    def link(self, href: object, label: str) -> str:
        """Return the absolute form of a link; "" if it is none."""
        try:
            url = urldefrag(urljoin(self.url, str(href))).url if href else ""
            usable = urlsplit(url).scheme in ("http", "https")
        except ValueError:
            usable = False
        if not usable:
            self.unreadable(label, str(href or ""))
            return ""
        return url

    def price(self, text: str, label: str) -> Decimal:
        if not text:
            self.missing(label)
            return Decimal(0)
        match = PRICE.fullmatch(text)
        if match is None:
            self.unreadable(label, text)
            return Decimal(0)
        return Decimal(f"{match[1].replace(',', '')}.{match[2]}")

    def stock(self, text: str) -> int:
        if not text:
            self.missing("estoque")
        if text in ("", "Out of stock"):
            return 0
        match = IN_STOCK.fullmatch(text)
        if match is None:
            self.unreadable("estoque", text)
            return 0
        return int(match[1])

    def raise_problems(self) -> None:
        """Raise MalformedPage if there were problems."""
        if self.problems:
            raise MalformedPage(self.url, tuple(dict.fromkeys(self.problems)))
