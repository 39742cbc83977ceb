"""Parse product pages, with lxml alone: there are twenty for each listing, and Beautiful Soup costs five times as much.

A product page shows other books too (the "recently viewed" strip), so only the product's own blocks are
searched: a page that lacks its own price is an error, never another book's price.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from scraper.book import (
    MAX_CATEGORY_CHARACTERS,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_UPC_CHARACTERS,
    ScrapedBook,
)
from scraper.errors import MalformedPage
from scraper.page_reader import PageReader

MAX_BYTES = 256 * 1024
"""Ten times a usual page. An element of nothing but attributes costs lxml the square of their number: here 2 s."""
Blocks = Mapping[str, Any]
RATINGS = {"One": 1, "Two": 2, "Three": 3, "Four": 4, "Five": 5}


def _xpath(path: str) -> Any:
    """Compile a path in which `[.name]` is the condition that an element has that class."""
    has_class = r"[contains(concat(' ', normalize-space(@class), ' '), ' \1 ')]"
    return etree.XPath(re.sub(r"\[\.([\w-]+)\]", has_class, path))


_BLOCKS = frozenset({"breadcrumb", "product_gallery", "product_main", "product_description", "table-striped"})
"""By class or id."""
_NAMED = _xpath("//*[@class or @id]")
# Only direct children: where an element is left unclosed, the strip of other books falls into the block.
_TITLE = _xpath("./h1")
_PRICE = _xpath("./p[.price_color]")
_AVAILABILITY = _xpath("./p[.availability]")
_STARS = _xpath("./p[.star-rating]/@class")


def parse_product(body: bytes, url: str) -> ScrapedBook:
    """Parse the product page at `url`. Raises MalformedPage with all of its problems."""
    if len(body) > MAX_BYTES:
        raise MalformedPage(url, (f"página de livro com mais de {MAX_BYTES} bytes",))
    page = PageReader(body, url)
    blocks = _find_blocks(body)
    category = _category(page, blocks)
    image_url = _image_url(page, blocks)
    title, visible_price, visible_stock, rating = _main_block(page, blocks)
    upc, price_excl_tax, price_incl_tax, stock = _table(page, blocks)
    description = _description(page, blocks)
    if not page.problems:
        if visible_price != price_incl_tax:
            page.problems.append(f"preço à vista £{visible_price} difere do da tabela £{price_incl_tax}")
        if visible_stock != stock:
            page.problems.append(f"estoque à vista {visible_stock} difere do da tabela {stock}")
    page.raise_problems()
    return ScrapedBook(
        url, upc, title, category, price_excl_tax, price_incl_tax, stock, rating, image_url, description
    )


def _find_blocks(body: bytes) -> Blocks:
    """Return the product's blocks; one within another is none, as that was left unclosed."""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    root = etree.fromstring(body, parser)
    blocks: dict[str, Any] = {}
    for element in [] if root is None else _NAMED(root):  # None is a page of nothing but comments
        for name in _BLOCKS.intersection((element.get("id"), *element.get("class", "").split())):
            if not any(outer in blocks.values() for outer in element.iterancestors()):
                blocks.setdefault(name, element)
                if name == "product_description":  # a heading, and its text is a paragraph without a name
                    blocks["description"] = element.getnext()
    return blocks


def _first(path: Any, element: Any) -> Any:
    """Return the first result of a path; None where there is none."""
    return next(iter(path(element)), None)


def _category(page: PageReader, blocks: Blocks) -> str:
    """Return the last link of the breadcrumb: home, all books, category; the book itself has no link."""
    breadcrumb = blocks.get("breadcrumb")
    if breadcrumb is None:
        page.missing("trilha de navegação")
        return ""
    links = breadcrumb.findall(".//li//a")
    category = page.text_of(links[-1], "categoria", MAX_CATEGORY_CHARACTERS) if len(links) >= 3 else ""
    if not category:
        page.missing("categoria")
    return category


def _image_url(page: PageReader, blocks: Blocks) -> str:
    gallery = blocks.get("product_gallery")
    image = None if gallery is None else gallery.find(".//img[@src]")
    if image is None:
        page.missing("imagem")
        return ""
    return page.link(image.get("src"), "imagem")


def _main_block(page: PageReader, blocks: Blocks) -> tuple[str, Decimal, int, int]:
    """Return title, visible price, visible stock and rating."""
    main = blocks.get("product_main")
    if main is None:
        page.missing("bloco do livro")
        return "", Decimal(0), 0, 0
    title = page.text_of(_first(_TITLE, main), "título")
    if not title:
        page.missing("título")
    price = page.price(_first(_PRICE, main), "preço")
    stock = page.stock(_first(_AVAILABILITY, main))
    return title, price, stock, _rating(page, main)


def _rating(page: PageReader, main: Any) -> int:
    classes = _first(_STARS, main)
    if classes is None:
        page.missing("avaliação")
        return 0
    words = [word for word in classes.split() if word != "star-rating"]
    if len(words) != 1 or words[0] not in RATINGS:
        page.unreadable("avaliação", " ".join(words))
        return 0
    return RATINGS[words[0]]


def _table(page: PageReader, blocks: Blocks) -> tuple[str, Decimal, Decimal, int]:
    """Return UPC, price without tax, price with tax and stock."""
    rows = _table_rows(page, blocks)
    if not rows:
        return "", Decimal(0), Decimal(0), 0
    upc = page.text_of(rows.get("UPC"), "UPC", MAX_UPC_CHARACTERS)
    if not upc:
        page.missing("UPC")
    price_excl_tax = page.price(rows.get("Price (excl. tax)"), "preço sem taxa")
    price_incl_tax = page.price(rows.get("Price (incl. tax)"), "preço com taxa")
    return upc, price_excl_tax, price_incl_tax, page.stock(rows.get("Availability"))


def _table_rows(page: PageReader, blocks: Blocks) -> dict[str, Any]:
    """Return the cells of values by the texts of their headings."""
    table = blocks.get("table-striped")
    if table is None:
        page.missing("tabela de informações")
        return {}
    cells = ((row.find(".//th"), row.find(".//td")) for row in table.iter("tr"))
    rows = {
        page.text_of(header, "nome na tabela"): value
        for header, value in cells
        if header is not None and value is not None
    }
    if not rows:
        page.problems.append("tabela de informações vazia")
    return rows


def _description(page: PageReader, blocks: Blocks) -> str:
    if "description" not in blocks:
        return ""
    paragraph = blocks["description"]
    if paragraph is None or paragraph.tag != "p":
        page.missing("texto da descrição")
        return ""
    return page.text_of(paragraph, "descrição", MAX_DESCRIPTION_CHARACTERS)
