"""A shop behind HTTP's own login, whose user and password are in its address."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from demo.site.books import make_books
from demo.site.pages import Pages
from scraper.__main__ import main
from scraper.address import authorization, without_credentials
from scraper.crawl import crawl
from scraper.errors import CrawlFailed
from scraper.events import CrawlFinished, PageFailed, ProductRead, encode_event
from scraper.options import CrawlOptions
from tests.support.demo_pages import body_of
from tests.support.raw_site import RawSite, Respond, http_response, raw_site

BOOKS = make_books(5)
HEADER = "Authorization: Basic " + base64.b64encode("bob:s3cret/ü".encode()).decode()


def responses_of_a_shop() -> dict[str, Respond | bytes]:
    pages = Pages(BOOKS)
    return {path: http_response(200, body_of(pages, path)) for path in ("/", *(book.path for book in BOOKS))}


def with_login(site: RawSite) -> str:
    return site.base_url.replace("http://", "http://bob:s3cret%2F%C3%BC@")


@pytest.mark.parametrize(
    ("url", "clean", "header"),
    [
        ("http://shop.test/a?b#c", "http://shop.test/a?b#c", None),
        ("http://bob@shop.test/", "http://shop.test/", "Basic Ym9iOg=="),
        ("http://bob:a:b@shop.test:8/x@y", "http://shop.test:8/x@y", "Basic Ym9iOmE6Yg=="),
        ("http://bob:p@w@shop.test/", "http://shop.test/", "Basic Ym9iOnBAdw=="),
        ("http://shop.test/x@y", "http://shop.test/x@y", None),
    ],
)
def test_an_address_is_split_into_a_public_one_and_a_header(url: str, clean: str, header: str | None) -> None:
    assert without_credentials(url) == clean
    assert authorization(url) == header


def test_every_request_robots_txt_included_has_the_login_and_no_event_does(quick: CrawlOptions) -> None:
    with raw_site(responses_of_a_shop() | {BOOKS[2].path: http_response(404)}) as site:
        events = list(crawl(with_login(site), quick))
        assert "GET /robots.txt" in site.heads[0]
        assert all(HEADER in head for head in site.heads)
        assert [e.book.url for e in events if isinstance(e, ProductRead) and e.position == 0] == [
            site.base_url[:-1] + BOOKS[0].path
        ]
    assert any(isinstance(event, PageFailed) for event in events)
    assert isinstance(events[-1], CrawlFinished)
    assert not any(b"bob" in encode_event(e) or b"s3cret" in encode_event(e) for e in events)


def test_a_crawl_that_fails_does_not_say_the_password(quick: CrawlOptions) -> None:
    with raw_site({"/": http_response(404)}) as site, pytest.raises(CrawlFailed) as caught:
        list(crawl(with_login(site), quick))
    assert "s3cret" not in caught.value.reason
    assert site.base_url in caught.value.reason


def test_the_login_goes_to_no_other_site_not_even_by_a_redirect(quick: CrawlOptions) -> None:
    with raw_site(responses_of_a_shop()) as elsewhere, raw_site(responses_of_a_shop()) as site:
        target = elsewhere.base_url[:-1] + BOOKS[1].path
        with_password = target.replace("http://", "http://bob:s3cret@")
        site.responses[BOOKS[1].path] = http_response(302, b"", f"Location: {target}")
        site.responses[BOOKS[2].path] = http_response(302, b"", f"Location: {with_password}")
        failed = [e for e in crawl(with_login(site), quick) if isinstance(e, PageFailed)]
    assert elsewhere.heads == []
    assert {event.reason for event in failed} == {"fora do site"}
    assert not any("s3cret" in repr(event) for event in failed)


def test_the_file_of_the_command_has_no_password(tmp_path: Path) -> None:
    out = tmp_path / "books.csv"
    with raw_site(responses_of_a_shop()) as site:
        assert main(["--base-url", with_login(site), "--out", str(out)]) == 0
    assert "s3cret" not in out.read_text()
