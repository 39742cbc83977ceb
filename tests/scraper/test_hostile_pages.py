"""Pages that are hostile, or more than the database takes."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from demo.site.books import DemoBook, make_books
from demo.site.pages import product_page
from scraper.book import ScrapedBook
from scraper.errors import MalformedPage
from scraper.parse import parse_listing, parse_product

BOOKS = make_books(60)
BOOK = replace(
    BOOKS[30],
    title="Œuvres & “Tales” <of> São Bento",
    price_excl_tax=Decimal("1234.50"),
    price_incl_tax=Decimal("1481.40"),
)
URL = "http://shop.test/catalogue/some-book_1/index.html"


def page(book: DemoBook = BOOK) -> str:
    return product_page(book, BOOKS[10:16])


def parse(text: str) -> ScrapedBook:
    return parse_product(text.encode(), URL)


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(MalformedPage) as caught:
        parse(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (BOOK.upc, "u" * 65, "UPC com mais de 64 caracteres"),
        ("Œuvres", "Œ" * 1_001, "título com mais de 1000 caracteres"),
        (f"{BOOK.category}</a>", "c" * 201 + "</a>", "categoria com mais de 200 caracteres"),
        (BOOK.description[:20], "d" * 20_001, "descrição com mais de 20000 caracteres"),
        ("£1481.40", "£100,000,000.00", "preço acima de £99999999.99"),
        ("£1234.50", "£999,999,999.00", "preço sem taxa acima de £99999999.99"),
        (BOOK.image_path.rsplit("/", 1)[1], "ï" * 2_000, "imagem com mais de 2000 bytes"),
        (BOOK.image_path.rsplit("/", 1)[1], "a\x7fb", "imagem ileg"),
        ("<main>", "<main>" + "x" * 262_144, "página de livro com mais de 262144 bytes"),
    ],
)
def test_what_the_database_could_not_hold_is_a_problem_with_its_name(
    old: str, new: str, expected: str
) -> None:
    assert old in page()
    assert any(problem.startswith(expected) for problem in problems(page().replace(old, new)))


def test_values_at_the_bounds_of_the_database_are_read() -> None:
    book = replace(BOOK, upc="u" * 64, title="t" * 1_000, description="d" * 20_000)
    book = replace(book, price_excl_tax=Decimal("99999999.99"), price_incl_tax=Decimal("99999999.99"))
    read = parse(page(book))
    assert (read.upc, read.title, read.description) == (book.upc, book.title, book.description)
    assert read.price_incl_tax == book.price_incl_tax


def test_control_characters_and_line_breaks_leave_a_text_in_one_plain_line() -> None:
    hostile = "  Red\x1b[31m and\x01 \x9bblue\r\n\t  second\u2028line\x85\tthird&#0;  "
    text = page(replace(BOOK, description="d" + hostile)).replace(f"<td>{BOOK.upc}", "<td>u\x00\x07pc")
    read = parse(text.replace("<h1>Œuvres", f"<h1>{hostile}Œuvres"))
    assert read.title.startswith("Red[31m and blue second line third\N{REPLACEMENT CHARACTER}  Œuvres")
    assert read.description.startswith("d  Red[31m and blue second line third")
    assert read.upc.isprintable()
    assert read.title.isprintable()


def test_spaces_within_a_line_stay_as_the_shop_has_them() -> None:
    assert parse(page(replace(BOOK, title="Two  spaces"))).title == "Two  spaces"


@pytest.mark.parametrize("inside", ["<h1>", "<main>"])
@pytest.mark.parametrize("tag", ["<b>", '<div class="product_main">', "<table><tr><td>", "<p class=a>x"])
def test_a_page_of_nested_tags_costs_little(inside: str, tag: str) -> None:
    body = page().replace(inside, inside + tag * (600_000 // len(tag))).encode()
    short = page().replace(inside, inside + tag * (200_000 // len(tag))).encode()
    started = time.process_time()
    for hostile in (body, short):
        with contextlib.suppress(MalformedPage):
            parse_product(hostile, URL)
        with contextlib.suppress(MalformedPage):
            parse_listing(hostile, URL)
    assert time.process_time() - started < 5


def test_an_element_of_nothing_but_attributes_costs_little() -> None:
    attributes = " ".join(f"a{number}" for number in range(80_000))
    started = time.process_time()
    with pytest.raises(MalformedPage, match="mais de 262144 bytes"):
        parse_product(page().replace("<main>", f"<main><div {attributes}>").encode(), URL)
    assert time.process_time() - started < 1
