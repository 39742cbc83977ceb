"""Parse listing pages, with Beautiful Soup."""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer

from scraper.page_reader import PageReader

PAGER = re.compile(r"Page\s+(\d{1,7})\s+of\s+(\d{1,7})", re.ASCII)
COUNT = re.compile(r"\d{1,9}", re.ASCII)
_BLOCKS = SoupStrainer(class_=re.compile(r"(?<!\S)(product_pod|form-horizontal|current|next)(?!\S)"))
"""What is built of a page: building the rest would double its cost."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the shop's list of books; the URLs are absolute and in the order of the page."""

    product_urls: tuple[str, ...]
    next_url: str | None
    page_count: int
    """Of the whole list, as the page states it."""
    product_count: int
    """Likewise."""


def parse_listing(body: bytes, url: str) -> Listing:
    """Parse the listing page at `url`. Raises MalformedPage with all of its problems."""
    page = PageReader(body, url)
    soup = BeautifulSoup(page.text, "lxml", parse_only=_BLOCKS)
    product_urls = []
    for pod in soup.find_all("article", class_="product_pod", recursive=False):
        anchor = pod.select_one("h3 a[href]")
        product_urls.append(page.link(anchor and anchor["href"], "link de livro"))
    product_count = _product_count(page, soup)
    if product_count and not product_urls:
        page.missing("livros")
    page_count, next_url = _pager(page, soup, has_more=product_count > len(product_urls))
    page.raise_problems()
    return Listing(tuple(product_urls), next_url, page_count, product_count)


def _product_count(page: PageReader, soup: BeautifulSoup) -> int:
    form = soup.find(class_="form-horizontal", recursive=False)
    if form is None:
        page.missing("contagem de livros")
        return 0
    strong = form.find("strong")
    text = _text_of(strong) if strong else ""
    if not COUNT.fullmatch(text):
        page.unreadable("contagem de livros", text)
        return 0
    return int(text)


def _pager(page: PageReader, soup: BeautifulSoup, *, has_more: bool) -> tuple[int, str | None]:
    """Return the number of pages and the next one's URL; a truncated page must not pass for the last one."""
    current = soup.find("li", class_="current", recursive=False)
    if current is None:
        if has_more:
            page.missing("paginação")
        return 1, None
    match = PAGER.fullmatch(_text_of(current))
    if match is None:
        page.unreadable("paginação", _text_of(current))
        return 1, None
    number, page_count = int(match[1]), int(match[2])
    anchor = soup.select_one("li.next a[href]")
    if anchor is None:
        if number < page_count:
            page.missing("link para a próxima página")
        return page_count, None
    return page_count, page.link(anchor["href"], "link para a próxima página")


def _text_of(tag: Tag) -> str:
    return tag.get_text().strip()
