"""Reading of single fields from a page, for both kinds of page."""

import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer

from scraper.errors import MalformedPage

PRICE = re.compile(r"£(\d{1,3}(?:,\d{3})+|\d{1,7})\.(\d{2})", re.ASCII)
IN_STOCK = re.compile(r"In stock \((\d{1,9}) available\)", re.ASCII)


class Blocks(SoupStrainer):
    """Keep only the blocks of some classes, some ids, or bare tags: building the rest doubles a page's cost.

    SoupStrainer's own rules are joined by "and"; a page needs "or".
    """

    def __init__(self, classes: frozenset[str], ids: frozenset[str] = frozenset(), bare: str = "") -> None:
        super().__init__(True)
        self._classes, self._ids, self._bare = classes, ids, bare

    def allow_tag_creation(
        self,
        nsprefix: str | None,
        name: str,
        attrs: Mapping[str, object] | None,
    ) -> bool:
        if not attrs:
            return name == self._bare
        return (
            not self._classes.isdisjoint(str(attrs.get("class", "")).split()) or attrs.get("id") in self._ids
        )


class PageReader:
    """Read fields from a page and collect the problems: a field that cannot be read yields an empty value.

    `label` is the name of a field in the problems, in Portuguese.
    """

    def __init__(self, body: bytes, url: str, blocks: Blocks) -> None:
        """Parse `body`, found at `url`. Raises MalformedPage if it is empty or not UTF-8."""
        self.url = url
        self.problems: list[str] = []
        if not body.strip():
            raise MalformedPage(url, ("página vazia",))
        try:
            # The shop's header names no charset; its pages are UTF-8, and a wrong guess turns "£" into "Â£".
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedPage(url, (f"não é UTF-8 (byte {error.start})",)) from error
        self.soup = BeautifulSoup(text, "lxml", parse_only=blocks)

    def missing(self, label: str) -> None:
        self.problems.append(f"sem {label}")

    def unreadable(self, label: str, text: str) -> None:
        self.problems.append(f"{label} ilegível: {text[:60]!r}")

    def block(self, css_class: str, label: str) -> Tag | None:
        block = self.soup.find(class_=css_class, recursive=False)
        if block is None:
            self.missing(label)
        return block

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


def text_of(tag: Tag) -> str:
    return tag.get_text().strip()
