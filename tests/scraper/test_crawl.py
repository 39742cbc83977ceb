from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.pages import Pages, listing_page
from demo.site.server import DemoSite
from scraper.book import ScrapedBook
from scraper.crawl import (
    CrawlEvent,
    CrawlFinished,
    Idle,
    ListingRead,
    PageFailed,
    ProductRead,
    ProductSkipped,
    crawl,
)
from scraper.errors import CrawlCancelled, CrawlFailed
from scraper.options import CrawlOptions
from scraper.parse import parse_product
from tests.support.demo_pages import body_of
from tests.support.raw_site import Respond, http_response, raw_site

BOOKS = make_books(45)
Event = TypeVar("Event")


def of_type(kind: type[Event], events: Iterable[CrawlEvent]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def by_position(events: Iterable[CrawlEvent]) -> list[ScrapedBook]:
    return [event.book for event in sorted(of_type(ProductRead, events), key=lambda event: event.position)]


def last(events: list[CrawlEvent]) -> CrawlFinished:
    event = events[-1]
    assert isinstance(event, CrawlFinished)
    return event


def test_a_crawl_reads_every_book_in_site_order(quick: CrawlOptions) -> None:
    with DemoSite(BOOKS) as site:
        events = list(crawl(site.base_url, quick))
        read = by_position(events)
        assert [
            (b.title, b.category, b.price_excl_tax, b.price_incl_tax, b.stock, b.rating) for b in read
        ] == [(b.title, b.category, b.price_excl_tax, b.price_incl_tax, b.stock, b.rating) for b in BOOKS]
        assert [(b.upc, b.description) for b in read] == [(b.upc, b.description) for b in BOOKS]
        assert [b.url for b in read] == [site.base_url[:-1] + b.path for b in BOOKS]
        assert [b.image_url for b in read] == [site.base_url[:-1] + b.image_path for b in BOOKS]


def test_a_crawl_announces_its_size_first_and_its_counts_last(quick: CrawlOptions) -> None:
    with DemoSite(BOOKS) as site:
        events = list(crawl(site.base_url, quick))
        listings = of_type(ListingRead, events)
        assert events[0] == listings[0]
        assert {listing.pages_total for listing in listings} == {3 + 45}
        assert [listing.page_number for listing in listings] == list(range(1, 4))
        assert [listing.first_position for listing in listings] == list(range(0, 45, 20))
        assert len(listings) + len(of_type(ProductRead, events)) == listings[0].pages_total
        finished = last(events)
        assert (finished.products_announced, finished.products_listed) == (45, 45)
        assert (finished.requests, finished.retries) == (site.stats.requests, 0)
        assert finished.requests == 3 + 45 + 1  # robots.txt


def test_no_book_is_lost_to_errors_drops_and_cut_answers(quick: CrawlOptions) -> None:
    faults = Faults(error_rate=0.08, drop_rate=0.03, truncate_rate=0.02, seed=2)
    with DemoSite(BOOKS, faults) as site:
        events = list(crawl(site.base_url, quick))
        assert [book.upc for book in by_position(events)] == [book.upc for book in BOOKS]
        assert not of_type(PageFailed, events)
        assert min(site.stats.faults[kind] for kind in ("error", "drop", "truncate")) > 0
        assert last(events).retries == site.stats.faults.total()


def test_exactly_the_malformed_pages_fail_and_say_why(quick: CrawlOptions) -> None:
    faults = Faults(malformed_rate=0.3, seed=3)
    expected = {book.path: faults.lacking(book) for book in BOOKS if faults.lacking(book)}
    assert len(set(expected.values())) == 3
    reasons = {"price": "sem preço", "table": "sem tabela de informações"}
    with DemoSite(BOOKS, faults) as site:
        failed = of_type(PageFailed, crawl(site.base_url, quick))
        assert {(f.url, f.reason) for f in failed} == {
            (site.base_url[:-1] + path, "; ".join(reasons[word] for word in lacking.split(" and ")))
            for path, lacking in expected.items()
        }
        assert [site.base_url[:-1] + BOOKS[f.position].path for f in failed] == [f.url for f in failed]


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_no_more_requests_than_the_cap_are_ever_in_flight_and_the_cap_is_used(
    concurrency: int, quick: CrawlOptions
) -> None:
    with DemoSite(make_books(12), Faults(latency_s=0.05)) as site:
        list(crawl(site.base_url, replace(quick, concurrency=concurrency)))
        assert site.stats.max_concurrent == concurrency


def test_books_that_are_already_read_are_skipped(quick: CrawlOptions) -> None:
    with DemoSite(BOOKS) as site:
        known = {site.base_url[:-1] + book.path for book in BOOKS[::2]}
        events = list(crawl(site.base_url, quick, already_read=known))
        assert {event.url for event in of_type(ProductSkipped, events)} == known
        assert sorted(event.position for event in of_type(ProductSkipped, events)) == list(range(0, 45, 2))
        assert sorted(event.position for event in of_type(ProductRead, events)) == list(range(1, 45, 2))
        assert not any(site.stats.by_path[book.path] for book in BOOKS[::2])


def test_a_second_crawl_sees_what_the_shop_changed(quick: CrawlOptions) -> None:
    books = make_books(5)
    with DemoSite(books) as site:
        first = by_position(crawl(site.base_url, quick))
        dearer = replace(
            books[0], price_excl_tax=books[0].price_excl_tax * 2, price_incl_tax=books[0].price_incl_tax * 2
        )
        sold_out = replace(books[1], stock=0)
        site.replace_books((dearer, sold_out, *books[3:]))
        second = by_position(crawl(site.base_url, quick))
    assert [book.upc for book in second] == [book.upc for book in (first[0], first[1], first[3], first[4])]
    assert second[0].price_incl_tax == first[0].price_incl_tax * 2
    assert second[1] == replace(first[1], stock=0)
    assert second[2:] == first[3:]


def seconds_to_cancel(base_url: str, options: CrawlOptions, when: Callable[[CrawlEvent], bool]) -> float:
    """Measure how long a crawl goes on after an event for which `when` is true."""
    cancelled = threading.Event()
    set_at = 0.0

    def cancel_in_time() -> None:
        nonlocal set_at
        for event in crawl(base_url, options, cancelled=cancelled):
            if not set_at and when(event):
                set_at = time.monotonic()
                cancelled.set()

    with pytest.raises(CrawlCancelled):
        cancel_in_time()
    return time.monotonic() - set_at


def test_a_shop_that_hangs_leaves_a_heartbeat_and_cancelling_ends_the_crawl_in_the_middle_of_its_requests(
    quick: CrawlOptions,
) -> None:
    with DemoSite(BOOKS) as demo:
        home = body_of(demo.pages, "/")

    def stall(connection: socket.socket, _: int) -> None:
        connection.recv(1)

    paths = ("/catalogue/page-2.html", *(book.path for book in BOOKS))
    responses: dict[str, Respond | bytes] = {"/": http_response(200, home), **dict.fromkeys(paths, stall)}
    with raw_site(responses) as site:
        patient = replace(quick, read_timeout_s=30.0, attempt_deadline_s=60.0)
        assert seconds_to_cancel(site.base_url, patient, lambda event: event == Idle()) < 1


def test_cancelling_ends_a_crawl_promptly_in_backoff(quick: CrawlOptions) -> None:
    patient = replace(quick, backoff_base_s=60.0, backoff_cap_s=60.0)
    with DemoSite(BOOKS, Faults(error_rate=1.0)) as site:
        assert seconds_to_cancel(site.base_url, patient, lambda event: event == Idle()) < 1


def test_closing_the_generator_ends_its_threads(quick: CrawlOptions) -> None:
    with DemoSite(BOOKS, Faults(latency_s=0.15)) as site, closing(crawl(site.base_url, quick)) as events:
        next(events)
        assert any(thread.name.startswith("scraper_") for thread in threading.enumerate())


def test_a_listing_that_cannot_be_read_fails_the_crawl(quick: CrawlOptions) -> None:
    with (
        DemoSite(BOOKS, robots_txt="User-agent: *\nDisallow: /catalogue/page-3") as site,
        pytest.raises(CrawlFailed, match=r"listagem não lida: proibida por robots\.txt \(.*page-3\.html\)"),
    ):
        list(crawl(site.base_url, quick))


def test_an_empty_or_foreign_home_page_fails_the_crawl(quick: CrawlOptions) -> None:
    for body in (b"", b"<h1>Hello</h1>", b"\xff\xfe"):
        with (
            raw_site({"/": http_response(200, body)}) as site,
            pytest.raises(CrawlFailed, match="listagem não lida"),
        ):
            list(crawl(site.base_url, quick))


def test_next_links_that_go_in_a_circle_fail_the_crawl(quick: CrawlOptions) -> None:
    paths = ["/1.html", "/2.html", "/3.html"]
    pages = [listing_page("All", BOOKS, number, paths, paths[number - 1]) for number in (1, 2)]
    assert 'href="3.html">next' in pages[1]
    pages[1] = pages[1].replace('href="3.html">next', 'href="1.html">next')
    responses = {path: http_response(200, page.encode()) for path, page in zip(paths, pages, strict=False)}
    with raw_site(responses) as site, pytest.raises(CrawlFailed, match="anda em círculo"):
        list(crawl(site.base_url + "1.html", quick))


def test_a_shop_with_more_pages_than_allowed_fails_the_crawl(quick: CrawlOptions) -> None:
    with DemoSite(BOOKS) as site, pytest.raises(CrawlFailed, match="mais de 47 páginas"):
        list(crawl(site.base_url, replace(quick, max_pages=47)))


def test_a_book_that_is_listed_twice_is_read_once_at_its_first_place(quick: CrawlOptions) -> None:
    books = (*BOOKS[:25], BOOKS[3], *BOOKS[25:30])
    with DemoSite(books) as site:
        events = list(crawl(site.base_url, quick))
        assert [book.upc for book in by_position(events)] == [book.upc for book in BOOKS[:30]]
        assert max(Counter(e.position for e in of_type(ProductRead, events)).values()) == 1
        assert (last(events).products_announced, last(events).products_listed) == (31, 30)


def test_a_product_that_moved_away_from_the_host_fails_alone(quick: CrawlOptions) -> None:
    book, gone, moved = BOOKS[:3]
    with DemoSite(BOOKS[:3]) as demo:
        pages = {path: body_of(demo.pages, path) for path in ("/", book.path, moved.path)}
    responses = {
        "/": http_response(200, pages["/"]),
        book.path: http_response(302, b"", "Location: ../moved/index.html"),
        "/catalogue/moved/index.html": http_response(200, pages[book.path]),
        gone.path: http_response(404),
        moved.path: http_response(301, b"", "Location: http://elsewhere.invalid/"),
    }
    with raw_site(responses) as site:
        events = list(crawl(site.base_url, quick))
        (read,) = of_type(ProductRead, events)
        assert (read.url, read.position) == (site.base_url[:-1] + book.path, 0)
        assert read.book.url == site.base_url + "catalogue/moved/index.html"
        assert {(event.position, event.reason) for event in of_type(PageFailed, events)} == {
            (1, "HTTP 404"),
            (2, "fora do site"),
        }


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"max_attempts": 0}, {"read_timeout_s": 0.0}, {"max_pages": 0}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        CrawlOptions(**wrong)


def test_prices_are_exact_decimals(quick: CrawlOptions) -> None:
    with DemoSite(make_books(1)) as site:
        (book,) = by_position(crawl(site.base_url, quick))
        assert isinstance(book.price_incl_tax, Decimal)
        assert book.price_incl_tax.as_tuple().exponent == -2


def test_a_fault_that_one_page_meets_fails_that_page_and_names_itself(
    quick: CrawlOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(body: bytes, url: str) -> ScrapedBook:
        if url.endswith(BOOKS[7].path):
            raise ZeroDivisionError("of the test")
        return parse_product(body, url)

    monkeypatch.setattr("scraper.crawl.parse_product", parse)
    with DemoSite(BOOKS) as site:
        events = list(crawl(site.base_url, quick))
    [failed] = of_type(PageFailed, events)
    assert (failed.position, failed.reason) == (7, "falha inesperada na leitura")
    assert failed.crash is not None
    assert failed.crash.startswith("ZeroDivisionError in parse, test_crawl.py:")
    assert len(of_type(ProductRead, events)) == 44


def test_an_absurd_retry_after_costs_one_retry(quick: CrawlOptions) -> None:
    with DemoSite(BOOKS[:3]) as site:
        page = http_response(200, body_of(site.pages, BOOKS[1].path))
        busy = http_response(503, b"", "Retry-After: Wed, 21 Oct 99999999999 07:28:00 GMT")
        responses: dict[str, Respond | bytes] = {
            path: http_response(200, body_of(site.pages, path))
            for path in ("/", *(b.path for b in BOOKS[:3]))
        }
    responses[BOOKS[1].path] = lambda connection, nth: connection.sendall(busy if nth == 1 else page)
    with raw_site(responses) as site_:
        events = list(crawl(site_.base_url, quick))
    assert len(of_type(ProductRead, events)) == 3
    assert last(events).retries == 1


def test_a_shop_that_announces_too_few_books_has_as_many_pages_as_it_lists(quick: CrawlOptions) -> None:
    pages = Pages(BOOKS)
    paths = ["/index.html", "/catalogue/page-2.html", "/catalogue/page-3.html"]
    responses: dict[str, Respond | bytes] = {
        path: http_response(200, body_of(pages, path)) for path in (*paths, *(book.path for book in BOOKS))
    }
    first = body_of(pages, "/").replace(b"<strong>45</strong>", b"<strong>1</strong>")
    responses["/"] = http_response(200, first)
    with raw_site(responses) as site:
        listings = of_type(ListingRead, list(crawl(site.base_url, quick)))
    assert [listing.pages_total for listing in listings] == [22, 43, 48]
