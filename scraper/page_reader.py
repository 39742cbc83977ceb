"""Reading of single fields from a page, for both kinds of page."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from scraper.address import without_credentials
from scraper.errors import MalformedPage

PRICE = re.compile(r"£(\d{1,3}(?:,\d{3})+|\d{1,8})\.(\d{2})", re.ASCII)
MAX_PRICE = Decimal("99999999.99")
"""What a column of ten digits holds."""
MAX_URL_BYTES = 2_000
"""An index of PostgreSQL holds no longer value; nor do most servers."""
IN_STOCK = re.compile(r"In stock \((\d{1,9}) available\)", re.ASCII)
MAX_CHARACTERS = 1_000
_UNPRINTABLE = dict.fromkeys((*range(32), *range(127, 160))) | {ord("\t"): " "}
"""Characters that a terminal or a database might obey or refuse, and the page's author did not mean."""


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

    def text_of(self, element: Any, label: str, max_characters: int = MAX_CHARACTERS) -> str:
        """Return the element's text in one line without control characters, "" of None; the start of a long one."""
        if element is None:
            return ""
        lines = "".join(element.itertext()).splitlines()
        text = " ".join(stripped for line in lines if (stripped := line.translate(_UNPRINTABLE).strip()))
        if len(text) > max_characters:
            self.problems.append(f"{label} com mais de {max_characters} caracteres")
        return text[:max_characters]

    def missing(self, label: str) -> None:
        self.problems.append(f"sem {label}")

    def unreadable(self, label: str, text: str) -> None:
        self.problems.append(f"{label} ilegível: {text[:60]!r}")

    def link(self, href: object, label: str) -> str:
        """Return the absolute form of a link; "" if it is none."""
        try:
            url = without_credentials(urldefrag(urljoin(self.url, str(href))).url) if href else ""
            usable = urlsplit(url).scheme in ("http", "https") and url.isprintable()
        except ValueError:
            usable = False
        if usable and len(url.encode()) > MAX_URL_BYTES:
            self.problems.append(f"{label} com mais de {MAX_URL_BYTES} bytes")
            return ""
        if not usable:
            self.unreadable(label, str(href or ""))
            return ""
        return url

    def price(self, element: Any, label: str) -> Decimal:
        text = self.text_of(element, label)
        if not text:
            self.missing(label)
            return Decimal(0)
        match = PRICE.fullmatch(text)
        if match is None:
            self.unreadable(label, text)
            return Decimal(0)
        price = Decimal(f"{match[1].replace(',', '')}.{match[2]}")
        if price > MAX_PRICE:
            self.problems.append(f"{label} acima de £{MAX_PRICE}")
            return Decimal(0)
        return price

    def stock(self, element: Any) -> int:
        text = self.text_of(element, "estoque")
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
