"""A page being read, and the readings that both kinds of page need."""

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
    """Keeps only the blocks of some classes, some ids, or bare tags: building the rest doubles a page's cost.

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


class Page:
    """A page being read: what was found, and the problems met on the way."""

    def __init__(self, body: bytes, url: str, blocks: Blocks) -> None:
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

    def missing(self, what: str) -> None:
        self.problems.append(f"sem {what}")

    def unreadable(self, what: str, text: str) -> None:
        self.problems.append(f"{what} ilegível: {text[:60]!r}")

    def block(self, css_class: str, what: str) -> Tag | None:
        block = self.soup.find(class_=css_class, recursive=False)
        if block is None:
            self.missing(what)
        return block

    def link(self, href: object, what: str) -> str:
        """The absolute form of a link, or "" and a problem."""
        try:
            url = urldefrag(urljoin(self.url, str(href))).url if href else ""
            usable = urlsplit(url).scheme in ("http", "https")
        except ValueError:
            usable = False
        if not usable:
            self.unreadable(what, str(href or ""))
            return ""
        return url

    def price(self, text: str, what: str) -> Decimal:
        if not text:
            self.missing(what)
            return Decimal(0)
        found = PRICE.fullmatch(text)
        if found is None:
            self.unreadable(what, text)
            return Decimal(0)
        return Decimal(f"{found[1].replace(',', '')}.{found[2]}")

    def stock(self, text: str) -> int:
        if not text:
            self.missing("estoque")
        if text in ("", "Out of stock"):
            return 0
        found = IN_STOCK.fullmatch(text)
        if found is None:
            self.unreadable("estoque", text)
            return 0
        return int(found[1])

    def raise_problems(self) -> None:
        if self.problems:
            raise MalformedPage(self.url, tuple(dict.fromkeys(self.problems)))


def text_of(tag: Tag) -> str:
    return tag.get_text().strip()
