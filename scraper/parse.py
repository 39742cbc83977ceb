"""Parse listing pages and product pages: the mark-up of django-oscar as books.toscrape.com shows it.

A product page shows other books too (the "recently viewed" strip), so only the product's own blocks are
searched: a page that lacks its own price is an error, never another book's price.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from bs4 import Tag

from scraper.book import ScrapedBook
from scraper.page_reader import Blocks, PageReader, text_of

RATINGS = {"One": 1, "Two": 2, "Three": 3, "Four": 4, "Five": 5}
PAGER = re.compile(r"Page\s+(\d{1,7})\s+of\s+(\d{1,7})", re.ASCII)
COUNT = re.compile(r"\d{1,9}", re.ASCII)

_LISTING_BLOCKS = Blocks(frozenset({"product_pod", "form-horizontal", "current", "next"}))
_PRODUCT_BLOCKS = Blocks(
    frozenset({"breadcrumb", "product_main", "table-striped"}),
    frozenset({"product_gallery", "product_description"}),
    bare="p",  # the description's paragraph has neither class nor id
)


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
    page = PageReader(body, url, _LISTING_BLOCKS)
    product_urls = []
    for pod in page.soup.find_all("article", class_="product_pod", recursive=False):
        anchor = pod.select_one("h3 a[href]")
        product_urls.append(page.link(anchor and anchor["href"], "link de livro"))
    product_count = _product_count(page)
    if product_count and not product_urls:
        page.missing("livros")
    page_count, next_url = _pager(page, has_more=product_count > len(product_urls))
    page.raise_problems()
    return Listing(tuple(product_urls), next_url, page_count, product_count)


def _product_count(page: PageReader) -> int:
    form = page.block("form-horizontal", "contagem de livros")
    if form is None:
        return 0
    strong = form.find("strong")
    text = text_of(strong) if strong else ""
    if not COUNT.fullmatch(text):
        page.unreadable("contagem de livros", text)
        return 0
    return int(text)


def _pager(page: PageReader, *, has_more: bool) -> tuple[int, str | None]:
    """Return the number of pages and the next one's URL; a truncated page must not pass for the last one."""
    current = page.soup.find("li", class_="current", recursive=False)
    if current is None:
        if has_more:
            page.missing("paginação")
        return 1, None
    match = PAGER.fullmatch(text_of(current))
    if match is None:
        page.unreadable("paginação", text_of(current))
        return 1, None
    number, page_count = int(match[1]), int(match[2])
    anchor = page.soup.select_one("li.next a[href]")
    if anchor is None:
        if number < page_count:
            page.missing("link para a próxima página")
        return page_count, None
    return page_count, page.link(anchor["href"], "link para a próxima página")


def parse_product(body: bytes, url: str) -> ScrapedBook:
    """Parse the product page at `url`. Raises MalformedPage with all of its problems."""
    page = PageReader(body, url, _PRODUCT_BLOCKS)
    category = _category(page)
    image_url = _image_url(page)
    title, visible_price, visible_stock, rating = _main_block(page)
    upc, price_excl_tax, price_incl_tax, stock = _table(page)
    description = _description(page)
    if not page.problems:
        if visible_price != price_incl_tax:
            page.problems.append(f"preço à vista £{visible_price} difere do da tabela £{price_incl_tax}")
        if visible_stock != stock:
            page.problems.append(f"estoque à vista {visible_stock} difere do da tabela {stock}")
    page.raise_problems()
    return ScrapedBook(
        url, upc, title, category, price_excl_tax, price_incl_tax, stock, rating, image_url, description
    )


def _category(page: PageReader) -> str:
    """Return the last link of the breadcrumb: home, all books, category; the book itself has no link."""
    breadcrumb = page.block("breadcrumb", "trilha de navegação")
    if breadcrumb is None:
        return ""
    anchors = breadcrumb.select("li a")
    category = text_of(anchors[-1]) if len(anchors) >= 3 else ""
    if not category:
        page.missing("categoria")
    return category


def _image_url(page: PageReader) -> str:
    image = page.soup.select_one("#product_gallery img[src]")
    if image is None:
        page.missing("imagem")
        return ""
    return page.link(image["src"], "imagem")


def _main_block(page: PageReader) -> tuple[str, Decimal, int, int]:
    """Return title, visible price, visible stock and rating."""
    main = page.block("product_main", "bloco do livro")
    if main is None:
        return "", Decimal(0), 0, 0
    title = _child_text(main, "h1")
    if not title:
        page.missing("título")
    price = page.price(_child_text(main, "p", "price_color"), "preço")
    stock = page.stock(_child_text(main, "p", "availability"))
    return title, price, stock, _rating(page, main)


def _child(block: Tag, name: str, css_class: str | None = None) -> Tag | None:
    # Only direct children: where an element is left unclosed, the strip of other books falls into the block.
    return block.find(name, attrs={"class": css_class} if css_class else {}, recursive=False)


def _child_text(block: Tag, name: str, css_class: str | None = None) -> str:
    child = _child(block, name, css_class)
    return text_of(child) if child else ""


def _rating(page: PageReader, main: Tag) -> int:
    stars = _child(main, "p", "star-rating")
    if stars is None:
        page.missing("avaliação")
        return 0
    words = [str(word) for word in stars.get_attribute_list("class") if word != "star-rating"]
    if len(words) != 1 or words[0] not in RATINGS:
        page.unreadable("avaliação", " ".join(words))
        return 0
    return RATINGS[words[0]]


def _table(page: PageReader) -> tuple[str, Decimal, Decimal, int]:
    """Return UPC, price without tax, price with tax and stock."""
    rows = _table_rows(page)
    if not rows:
        return "", Decimal(0), Decimal(0), 0
    upc = rows.get("UPC", "")
    if not upc:
        page.missing("UPC")
    price_excl_tax = page.price(rows.get("Price (excl. tax)", ""), "preço sem taxa")
    price_incl_tax = page.price(rows.get("Price (incl. tax)", ""), "preço com taxa")
    return upc, price_excl_tax, price_incl_tax, page.stock(rows.get("Availability", ""))


def _table_rows(page: PageReader) -> dict[str, str]:
    table = page.block("table-striped", "tabela de informações")
    if table is None:
        return {}
    rows = {
        text_of(header): text_of(value)
        for row in table.find_all("tr")
        if (header := row.find("th")) and (value := row.find("td"))
    }
    if not rows:
        page.problems.append("tabela de informações vazia")
    return rows


def _description(page: PageReader) -> str:
    heading = page.soup.find(id="product_description", recursive=False)
    if heading is None:
        return ""
    paragraph = heading.find_next_sibling()
    if paragraph is None or paragraph.name != "p":
        page.missing("texto da descrição")
        return ""
    return text_of(paragraph)
