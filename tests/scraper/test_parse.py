from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from demo.site.books import DemoBook, make_books
from demo.site.pages import Pages, listing_page, product_page
from scraper.book import ScrapedBook
from scraper.errors import MalformedPage
from scraper.parse import parse_listing, parse_product
from tests.support.demo_pages import body_of

BOOKS = make_books(60)
BOOK = replace(
    BOOKS[30],
    title="Œuvres & “Tales” <of> São Bento",
    price_excl_tax=Decimal("1234.50"),
    price_incl_tax=Decimal("1481.40"),
    stock=7,
    rating=4,
)
STRIP = BOOKS[10:16]
URL = "http://shop.test/catalogue/some-book_1/index.html"


def page(book: DemoBook = BOOK, lacking: str = "") -> str:
    return product_page(book, STRIP, lacking)


def parse(text: str) -> ScrapedBook:
    return parse_product(text.encode(), URL)


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(MalformedPage) as caught:
        parse(text)
    assert caught.value.url == URL
    return caught.value.problems


def test_a_product_page_yields_every_field() -> None:
    book = parse(page())
    assert book.url == URL
    assert (book.upc, book.title, book.category) == (BOOK.upc, BOOK.title, BOOK.category)
    assert (book.price_excl_tax, book.price_incl_tax) == (Decimal("1234.50"), Decimal("1481.40"))
    assert (book.stock, book.rating, book.description) == (7, 4, BOOK.description)
    assert book.image_url == f"http://shop.test{BOOK.image_path}"


def test_a_price_may_group_its_thousands() -> None:
    assert parse(page().replace("£1481.40", "£1,481.40")).price_incl_tax == Decimal("1481.40")


def test_out_of_stock_is_a_stock_of_zero() -> None:
    assert parse(page(replace(BOOK, stock=0))).stock == 0


def test_a_book_without_description_has_an_empty_one() -> None:
    assert parse(page(replace(BOOK, description=""))).description == ""


def test_the_very_long_title_comes_whole() -> None:
    title = max((book.title for book in BOOKS), key=len)
    assert len(title) > 204
    assert parse(page(replace(BOOK, title=title))).title == title


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ("price", ("sem preço",)),
        ("table", ("sem tabela de informações",)),
        ("price and table", ("sem preço", "sem tabela de informações")),
    ],
)
def test_what_the_book_lacks_is_never_taken_from_the_strip_or_elsewhere(
    lacking: str, expected: tuple[str, ...]
) -> None:
    text = page(lacking=lacking)
    assert STRIP
    assert all(f"£{other.price_incl_tax}" in text for other in STRIP)
    assert problems(text) == expected


def test_a_strip_that_an_unclosed_block_swallows_lends_no_price() -> None:
    main_end = page(lacking="price").index("</div>", page(lacking="price").index("product_main"))
    text = page(lacking="price")
    assert problems(text[:main_end] + text[main_end + len("</div>") :])[0] == "sem preço"


def test_an_unclosed_block_swallows_no_other() -> None:
    text = page()
    for block, expected in (
        ("breadcrumb", "sem imagem"),
        ("product_description", "sem tabela de informações"),
    ):
        closing = re.compile(r"</(ul|p)>").search(text, text.index(block))
        assert closing is not None
        assert expected in problems(text[: closing.start()] + "<x " + text[closing.end() :])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (f"<h1>{'Œuvres'}", "<h1></h1><h1>", "sem título"),
        ("price_color", "colour", "sem preço"),
        ("availability", "elsewhere", "sem estoque"),
        ("star-rating", "stars", "sem avaliação"),
        ("star-rating Four", "star-rating Six", "avaliação ilegível: 'Six'"),
        ('class="breadcrumb"', "", "sem trilha de navegação"),
        ('id="product_gallery"', "", "sem imagem"),
        ("product_main", "aside", "sem bloco do livro"),
        ("<th>UPC</th>", "<th>EAN</th>", "sem UPC"),
        ("Price (excl. tax)", "Net", "sem preço sem taxa"),
        ("Price (incl. tax)", "Gross", "sem preço com taxa"),
        ("£1481.40", "£1481.4", "preço ilegível: '£1481.4'"),
        ("£1481.40", "$1481.40", "preço ilegível: '$1481.40'"),
        ("£1481.40", "£14,81.40", "preço ilegível: '£14,81.40'"),
        ("£1481.40", "£-1481.40", "preço ilegível: '£-1481.40'"),
        ("£1234.50", "£١٢.٥٠", "preço sem taxa ilegível: '£١٢.٥٠'"),
        ("In stock (7 available)", "In stock", "estoque ilegível: 'In stock'"),
        ("In stock (7 available)", "In stock (-7 available)", "estoque ilegível: 'In stock (-7 available)'"),
        ("<th>Availability</th>", "<th>Stock</th>", "sem estoque"),
        ("<tr>", "<span>", "tabela de informações vazia"),
    ],
)
def test_each_thing_that_is_wrong_has_its_own_name(old: str, new: str, expected: str) -> None:
    assert old in page()
    assert expected in problems(page().replace(old, new))


def test_everything_wrong_is_named_at_once() -> None:
    text = page().replace("£1481.40", "free").replace("star-rating Four", "star-rating").replace(BOOK.upc, "")
    assert set(problems(text)) >= {
        "preço ilegível: 'free'",
        "preço com taxa ilegível: 'free'",
        "avaliação ilegível: ''",
        "sem UPC",
    }


def test_the_visible_price_and_stock_must_agree_with_the_table() -> None:
    text = page().replace("£1481.40", "£1.00", 1).replace("(7 available)", "(8 available)", 1)
    assert problems(text) == (
        "preço à vista £1.00 difere do da tabela £1481.40",
        "estoque à vista 8 difere do da tabela 7",
    )


def test_an_image_link_that_is_no_web_address_is_a_problem() -> None:
    assert problems(page().replace('<img src="../../', '<img src="javascript:', 1))[0].startswith(
        "imagem ileg"
    )
    assert problems(page().replace('<img src="../../', '<img src="http://[', 1))[0].startswith("imagem ileg")


@pytest.mark.parametrize("body", [b"", b" \r\n "])
def test_an_empty_body_is_no_page(body: bytes) -> None:
    with pytest.raises(MalformedPage, match="página vazia"):
        parse_product(body, URL)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_page_in_another_encoding_is_refused_rather_than_guessed(encoding: str) -> None:
    with pytest.raises(MalformedPage, match="não é UTF-8"):
        parse_product(page(BOOKS[0]).encode(encoding, errors="replace"), URL)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.8])
def test_a_page_cut_anywhere_is_an_error_or_the_same_book(share: float) -> None:
    body = page().encode()
    try:
        assert parse_product(body[: int(len(body) * share)], URL) == parse_product(body, URL)
    except MalformedPage:
        return


def listing(number: int = 1) -> str:
    paths = ["/index.html", "/catalogue/page-2.html", "/catalogue/page-3.html"]
    return listing_page("All books", BOOKS, number, paths, paths[number - 1])


def test_a_listing_names_its_books_in_order_and_the_next_page() -> None:
    read = parse_listing(listing(2).encode(), "http://shop.test/catalogue/page-2.html")
    assert read.product_urls == tuple(f"http://shop.test{book.path}" for book in BOOKS[20:40])
    assert read.next_url == "http://shop.test/catalogue/page-3.html"
    assert (read.page_count, read.product_count) == (3, 60)


def test_the_last_listing_has_no_next_page() -> None:
    assert parse_listing(listing(3).encode(), "http://shop.test/catalogue/page-3.html").next_url is None


def test_a_shop_of_one_page_has_no_pager() -> None:
    body = body_of(Pages(BOOKS[:3]), "/")
    read = parse_listing(body, "http://shop.test/")
    assert (len(read.product_urls), read.next_url, read.page_count, read.product_count) == (3, None, 1, 3)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('class="next"', 'class="later"', "sem link para a próxima página"),
        ('class="pager"', "", None),
        ('class="current"', "", "sem paginação"),
        ("Page 1 of 3", "Page one", "paginação ilegível: 'Page one'"),
        ("<strong>60</strong>", "<strong>many</strong>", "contagem de livros ilegível: 'many'"),
        ("form-horizontal", "form", "sem contagem de livros"),
        ("product_pod", "product", "sem livros"),
        (f'<h3><a href="catalogue/{BOOKS[0].path.split("/")[2]}', '<h3><a href="mailto:x', "link de livro"),
    ],
)
def test_a_listing_that_could_hide_books_is_an_error(old: str, new: str, expected: str | None) -> None:
    text = listing().replace(old, new)
    assert old in listing()
    if expected is None:
        parse_listing(text.encode(), "http://shop.test/")
        return
    with pytest.raises(MalformedPage, match=expected):
        parse_listing(text.encode(), "http://shop.test/")


def test_links_lose_the_user_and_password_that_a_page_puts_into_them() -> None:
    text = listing().replace('<h3><a href="', '<h3><a href="http://bob:s3cret@shop.test/', 1)
    assert parse_listing(text.encode(), "http://shop.test/").product_urls[0].startswith("http://shop.test/")


def test_a_link_too_long_for_an_index_is_an_error() -> None:
    text = listing().replace('<h3><a href="', f'<h3><a href="{"x" * 2_000}', 1)
    with pytest.raises(MalformedPage, match="link de livro com mais de 2000 bytes"):
        parse_listing(text.encode(), "http://shop.test/")


def test_a_listing_cut_short_does_not_pass_for_the_last_one() -> None:
    text = listing()
    cut = text[: text.index('<ul class="pager">')]
    with pytest.raises(MalformedPage, match="sem paginação"):
        parse_listing(cut.encode(), "http://shop.test/")
