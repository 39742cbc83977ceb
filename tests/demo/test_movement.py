from __future__ import annotations

import dataclasses
from decimal import Decimal
from itertools import pairwise

from app.core.safety_gate import publication_blocker
from app.core.scraping import Difference, StoredBook, compare
from demo.site.books import DemoBook, make_books
from demo.site.movement import Calendar, books_on
from demo.site.server import DemoSite
from demo.site.words import CATEGORIES
from scraper.book import ScrapedBook
from scraper.crawl import ProductRead, crawl
from scraper.options import CrawlOptions
from tests.support.books import LIMITS, make_crawl

BOOKS = make_books()
RATE = 0.03
FIRST = 5_900_000
"""A day of these years, by the clock."""


def scraped(books: tuple[DemoBook, ...]) -> list[ScrapedBook]:
    return [
        ScrapedBook(
            upc=book.upc,
            url=f"https://shop.invalid{book.path}",
            title=book.title,
            category=book.category,
            price_excl_tax=book.price_excl_tax,
            price_incl_tax=book.price_incl_tax,
            stock=book.stock,
            rating=book.rating,
            description=book.description,
            image_url=f"https://shop.invalid{book.image_path}",
        )
        for book in books
    ]


def difference(before: tuple[DemoBook, ...], after: tuple[DemoBook, ...]) -> Difference:
    stored = [StoredBook(place, True, page) for place, page in enumerate(scraped(before))]
    return compare(stored, make_crawl(*scraped(after)))


def test_a_day_is_the_same_at_each_look_and_unlike_the_next() -> None:
    assert books_on(FIRST, BOOKS, RATE) == books_on(FIRST, BOOKS, RATE)
    assert books_on(FIRST, BOOKS, RATE) != books_on(FIRST + 1, BOOKS, RATE)
    assert books_on(FIRST, BOOKS, RATE) != books_on(FIRST, BOOKS, RATE, seed=1)


def test_a_few_prices_stocks_and_texts_change_from_day_to_day_and_a_few_books_come_and_go() -> None:
    days = [books_on(FIRST + day, BOOKS, RATE) for day in range(21)]
    differences = [difference(*pair) for pair in pairwise(days)]
    for each in differences:
        assert 10 <= len(each.repriced) <= 60
        assert 10 <= len(each.restocked) <= 60
    for kind in ("removed", "added", "edited"):
        counts = [len(getattr(each, kind)) for each in differences]
        assert 10 <= sum(counts) <= 120, (kind, counts)
        assert max(counts) <= 10


def test_the_safety_gate_lets_every_day_pass_and_the_way_back_too() -> None:
    days = [books_on(FIRST + day, BOOKS, RATE) for day in (*range(8), 100, 1, 50_000, 2)]
    for before, after in pairwise([BOOKS, *days, BOOKS]):
        stored = [StoredBook(place, True, page) for place, page in enumerate(scraped(before))]
        seen = make_crawl(*scraped(after))
        assert publication_blocker(seen, compare(stored, seen), stored, LIMITS) is None


def test_a_book_keeps_what_it_is_and_its_price_stays_near_the_first() -> None:
    first = {book.number: book for book in BOOKS}
    for day in (FIRST, FIRST + 77):
        books = books_on(day, BOOKS, RATE)
        assert {book.category for book in books} == set(CATEGORIES)
        assert 970 <= len(books) < 1000
        for book in books:
            before = first[book.number]
            assert abs(book.price_incl_tax / before.price_incl_tax - 1) < Decimal("0.16")
            assert 0 <= book.stock <= 22
            assert book.description.startswith(before.description)
            same = {name: getattr(before, name) for name in ("stock", "description")}
            same |= dict.fromkeys(("price_incl_tax", "price_excl_tax"), before.price_incl_tax)
            assert dataclasses.replace(book, **same) == before


def test_a_book_that_leaves_returns() -> None:
    on_sale = [{book.number for book in books_on(FIRST + day, BOOKS, RATE)} for day in range(20)]
    left = on_sale[0] - on_sale[5]
    assert left
    assert left <= on_sale[12]


def test_each_crawl_meets_the_next_day() -> None:
    books = BOOKS[:60]
    calendar = Calendar(books, rate=0.2, day=FIRST)
    with DemoSite(books, calendar=calendar) as site:
        for day in (FIRST + 1, FIRST + 2):
            events = [
                event for event in crawl(site.base_url, CrawlOptions()) if isinstance(event, ProductRead)
            ]
            read = {event.book.upc: event.book.price_incl_tax for event in events}
            assert read == {book.upc: book.price_incl_tax for book in books_on(day, books, 0.2)}
    assert calendar.day == FIRST + 2


def test_a_shop_that_is_started_again_goes_on_from_a_later_day() -> None:
    assert Calendar(BOOKS, RATE).day >= FIRST
