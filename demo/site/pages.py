"""The pages of the demonstration shop, rendered on request from a catalogue that does not change.

The mark-up is ours; its class names and structure are those that a scraper of books.toscrape.com looks for.
"""

import posixpath
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import NamedTuple

from demo.site.books import DemoBook, slug
from demo.site.covers import cover
from demo.site.style import STYLE
from demo.site.words import CATEGORIES

PER_PAGE = 20
RECENTLY_VIEWED = 6
SHORT_TITLE_WORDS = 4
STARS = ("Zero", "One", "Two", "Three", "Four", "Five")
HOME = "/index.html"
STYLE_PATH = "/style.css"
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".svg": "image/svg+xml"}
NOTICE = "Demonstration shop: every book here is made up and nothing is for sale."


class Page(NamedTuple):
    """A rendered page, style sheet or cover."""

    content_type: str
    body: bytes


class Pages:
    """All pages of one catalogue by path. Immutable once built, so any number of threads may read it."""

    def __init__(
        self, books: Sequence[DemoBook], malformed: Callable[[DemoBook], str] = lambda _: ""
    ) -> None:
        """`malformed` returns what a product's page lacks: any of the words "price" and "table"."""
        self.books = tuple(books)
        self._malformed = malformed
        self._renderers: dict[str, Callable[[str], str]] = {STYLE_PATH: lambda _: STYLE}
        self._add_listing("All books", self.books, "/catalogue", HOME)
        for name in CATEGORIES:
            category_books = [book for book in self.books if book.category == name]
            if category_books:
                self._add_listing(name, category_books, category_directory(name))
        for position, book in enumerate(self.books):
            self._add_book(position, book)

    def render(self, path: str) -> Page | None:
        """Render the page at an absolute path without query; None if there is none."""
        if path.endswith("/"):
            path += "index.html"
        render = self._renderers.get(path)
        # No charset, like the shop that this one stands in for: a scraper has to know that it is UTF-8.
        return Page(CONTENT_TYPES[posixpath.splitext(path)[1]], render(path).encode()) if render else None

    def _add_listing(
        self, name: str, books: Sequence[DemoBook], directory: str, first_path: str | None = None
    ) -> None:
        pages = max(1, -(-len(books) // PER_PAGE))
        paths = [f"{directory}/page-{number}.html" for number in range(1, pages + 1)]
        paths[0] = first_path or f"{directory}/index.html"
        for number, path in enumerate(paths, 1):
            self._renderers[path] = partial(listing_page, name, books, number, paths)
        # The first page has two addresses; links on it are relative, so each is rendered for its own.
        self._renderers[f"{directory}/page-1.html"] = self._renderers[paths[0]]

    def _add_book(self, position: int, book: DemoBook) -> None:
        recent = self.books[max(0, position - RECENTLY_VIEWED) : position]
        lacking = self._malformed(book)
        self._renderers[book.path] = lambda _: product_page(book, recent, lacking)
        self._renderers[book.image_path] = lambda _: cover(book)


def category_directory(name: str) -> str:
    return f"/catalogue/category/{slug(name)}_{CATEGORIES.index(name) + 1}"


def link(target: str, page: str) -> str:
    """Return the relative link from `page` to `target`."""
    return posixpath.relpath(target, posixpath.dirname(page))


def layout(title: str, path: str, content: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Livraria Demo</title>
<link rel="stylesheet" href="{link(STYLE_PATH, path)}">
</head>
<body>
<header><a href="{link(HOME, path)}">Livraria Demo</a><small>{NOTICE}</small></header>
<main>
{content}
</main>
</body>
</html>
"""


def short_title(title: str) -> str:
    words = title.split()
    return " ".join(words[:SHORT_TITLE_WORDS]) + (" ..." if len(words) > SHORT_TITLE_WORDS else "")


def stock_text(book: DemoBook) -> str:
    return f"In stock ({book.stock} available)" if book.stock else "Out of stock"


def stars(book: DemoBook) -> str:
    return f'<p class="star-rating {STARS[book.rating]}" title="{book.rating} of 5">{"★" * book.rating}</p>'


def product_pod(book: DemoBook, path: str) -> str:
    href = link(book.path, path)
    stock_class, stock = ("instock", "In stock") if book.stock else ("outofstock", "Out of stock")
    return f"""<li><article class="product_pod">
<a href="{href}"><img src="{link(book.image_path, path)}" alt="" width="120" height="180" loading="lazy"></a>
{stars(book)}
<h3><a href="{href}" title="{escape(book.title)}">{escape(short_title(book.title))}</a></h3>
<p class="price_color">£{book.price_incl_tax:.2f}</p>
<p class="{stock_class} availability">{stock}</p>
</article></li>"""


def listing_page(name: str, books: Sequence[DemoBook], number: int, paths: Sequence[str], path: str) -> str:
    page_books = books[(number - 1) * PER_PAGE : number * PER_PAGE]
    categories = "\n".join(
        f'<li><a href="{link(category_directory(category) + "/index.html", path)}">{category}</a></li>'
        for category in CATEGORIES
    )
    count = f"<strong>{len(books)}</strong> result{'' if len(books) == 1 else 's'}"
    return layout(
        name,
        path,
        f"""<nav aria-label="Categories"><ul>{categories}</ul></nav>
<h1>{escape(name)}</h1>
<form class="form-horizontal">{count}</form>
<ol class="row">
{"".join(product_pod(book, path) for book in page_books)}
</ol>
{pager(number, paths, path)}""",
    )


def pager(number: int, paths: Sequence[str], path: str) -> str:
    if len(paths) == 1:
        return ""
    previous = f'<li class="previous"><a href="{link(paths[number - 2], path)}">previous</a></li>'
    following = f'<li class="next"><a href="{link(paths[number % len(paths)], path)}">next</a></li>'
    return f"""<ul class="pager">
{previous if number > 1 else ""}
<li class="current">Page {number} of {len(paths)}</li>
{following if number < len(paths) else ""}
</ul>"""


def product_page(book: DemoBook, recent: Sequence[DemoBook] = (), lacking: str = "") -> str:
    """Render the page of `book` and a strip of `recent` ones, without the parts in `lacking` (price, table)."""
    path = book.path
    price = "" if "price" in lacking else f'<p class="price_color">£{book.price_incl_tax:.2f}</p>'
    description = (
        f'<div id="product_description" class="sub-header"><h2>Description</h2></div>\n'
        f"<p>{escape(book.description)}</p>"
    )
    strip = "".join(product_pod(other, path) for other in recent)
    return layout(
        book.title,
        path,
        f"""<ul class="breadcrumb">
<li><a href="{link(HOME, path)}">Home</a></li>
<li><a href="{link("/catalogue/page-1.html", path)}">Books</a></li>
<li><a href="{link(category_directory(book.category) + "/index.html", path)}">{book.category}</a></li>
<li class="active">{escape(book.title)}</li>
</ul>
<article class="product_page">
<div id="product_gallery"><img src="{link(book.image_path, path)}" alt="{escape(book.title)}"></div>
<div class="product_main">
<h1>{escape(book.title)}</h1>
{price}
<p class="{"instock" if book.stock else "outofstock"} availability">{stock_text(book)}</p>
{stars(book)}
</div>
{description if book.description else ""}
{"" if "table" in lacking else product_table(book)}
{f'<h2>Recently viewed</h2><ul class="row">{strip}</ul>' if recent else ""}
</article>""",
    )


def product_table(book: DemoBook) -> str:
    rows = {
        "UPC": book.upc,
        "Product Type": "Books",
        "Price (excl. tax)": f"£{book.price_excl_tax:.2f}",
        "Price (incl. tax)": f"£{book.price_incl_tax:.2f}",
        "Tax": f"£{book.price_incl_tax - book.price_excl_tax:.2f}",
        "Availability": stock_text(book),
        "Number of reviews": "0",
    }
    cells = "\n".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows.items())
    return f'<table class="table table-striped">\n{cells}\n</table>'
