from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from scraper.errors import BodyTooLarge, CrawlCancelled, DisallowedByRobots, FetchFailed, OffSite, PageRefused
from scraper.fetch import Fetcher
from scraper.options import CrawlOptions
from tests.support.demo_pages import body_of
from tests.support.raw_site import Respond, http_response, raw_site

GZIP = "Content-Encoding: gzip"


def until(condition: Callable[[], bool]) -> None:
    """Poll for something that another thread brings about."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_a_page_comes_as_bytes_over_kept_connections(quick: CrawlOptions) -> None:
    with DemoSite(make_books(3)) as site, Fetcher(site.base_url, quick) as fetcher:
        page = fetcher.get(site.base_url)
        assert page.url == site.base_url
        assert "£".encode() in page.body
        assert all(agent.startswith("livraria-scraper/") for agent in site.stats.user_agents)
        assert fetcher.requests_sent == 2  # robots.txt first


@pytest.mark.parametrize(
    "base_url", ["", "shop.test", "ftp://shop.test/", "http://", "http://[", "http://a:x/"]
)
def test_a_base_url_that_is_not_http_is_refused(base_url: str, quick: CrawlOptions) -> None:
    with pytest.raises(ValueError, match="not an absolute"):
        Fetcher(base_url, quick)


def flaky(bad: bytes, times: int, good: bytes) -> Respond:
    """Respond with `bad` for some `times`, and then with `good`."""

    def respond(connection: socket.socket, nth: int) -> None:
        connection.sendall(good if nth > times else bad)

    return respond


def test_transient_failures_are_retried(quick: CrawlOptions) -> None:
    whole = http_response(200, b"whole page")
    zipped = http_response(200, gzip.compress(b"whole page" * 50), GZIP)
    chunked = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    bad = {
        "/429": http_response(429),
        "/500": http_response(500),
        "/503": http_response(503, b"later"),
        "/dropped": b"",
        "/half-head": b"HTTP/1.1 200 X\r\nContent-Le",
        "/garbage": b"\x00\x01\x02 nonsense\r\n\r\n",
        "/cut": whole[:-4],
        "/cut-gzip": zipped[:-10],
        "/bad-gzip": http_response(200, b"this is not gzip", GZIP),
        "/cut-chunk": chunked + b"a\r\nwhole",
        "/no-last-chunk": chunked + b"5\r\nwhole\r\n",
        "/two-lengths": b"HTTP/1.1 200 X\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    }
    with (
        raw_site({path: flaky(start, 2, whole) for path, start in bad.items()}) as site,
        Fetcher(site.base_url, quick) as fetcher,
    ):
        bodies = {path: fetcher.get(site.base_url + path[1:]).body for path in bad}
        assert bodies == dict.fromkeys(bad, b"whole page")
        assert {path: site.requests[path] for path in bad} == dict.fromkeys(bad, 3)
        assert fetcher.retries == 2 * len(bad)


def test_it_gives_up_after_its_attempts_and_says_why(quick: CrawlOptions) -> None:
    with (
        raw_site({"/x": http_response(503)}) as site,
        Fetcher(site.base_url, replace(quick, max_attempts=3)) as fetcher,
    ):
        with pytest.raises(FetchFailed, match=r"HTTP 503 \(3 tentativas\)"):
            fetcher.get(site.base_url + "x")
        assert site.requests["/x"] == 3


@pytest.mark.parametrize("status", [204, 304, 400, 403, 404, 410])
def test_a_refusal_is_not_retried(status: int, quick: CrawlOptions) -> None:
    with raw_site({"/x": http_response(status)}) as site, Fetcher(site.base_url, quick) as fetcher:
        with pytest.raises(PageRefused, match=f"HTTP {status}"):
            fetcher.get(site.base_url + "x")
        assert site.requests["/x"] == 1


def test_retry_after_holds_every_worker(quick: CrawlOptions) -> None:
    arrivals: dict[str, float] = {}

    def overloaded(connection: socket.socket, nth: int) -> None:
        arrivals.setdefault("refused", time.monotonic())
        connection.sendall(
            http_response(429, b"", "Retry-After: 1") if nth == 1 else http_response(200, b"a")
        )

    def other(connection: socket.socket, nth: int) -> None:
        arrivals["other"] = time.monotonic()
        connection.sendall(http_response(200, b"b"))

    with raw_site({"/a": overloaded, "/b": other}) as site, Fetcher(site.base_url, quick) as fetcher:
        worker = threading.Thread(target=fetcher.get, args=(site.base_url + "a",))
        worker.start()
        until(lambda: fetcher.retries == 1)
        assert fetcher.get(site.base_url + "b").body == b"b"
        worker.join()
        assert arrivals["other"] - arrivals["refused"] >= 0.95


def test_retry_after_is_respected_up_to_its_cap_only(quick: CrawlOptions) -> None:
    site_says = flaky(http_response(503, b"", "Retry-After: 3600"), 1, http_response(200, b"ok"))
    with (
        raw_site({"/x": site_says}) as site,
        Fetcher(site.base_url, replace(quick, max_retry_after_s=0.2)) as fetcher,
    ):
        started = time.monotonic()
        assert fetcher.get(site.base_url + "x").body == b"ok"
        assert 0.2 <= time.monotonic() - started < 2


def test_robots_txt_is_obeyed_and_read_once(quick: CrawlOptions) -> None:
    with (
        DemoSite(make_books(30), robots_txt="User-agent: *\nDisallow: /catalogue/page-") as site,
        Fetcher(site.base_url, quick) as fetcher,
    ):
        fetcher.get(site.base_url)
        with pytest.raises(DisallowedByRobots):
            fetcher.get(site.base_url + "catalogue/page-2.html")
        assert site.stats.by_path["/robots.txt"] == 1
        assert site.stats.by_path["/catalogue/page-2.html"] == 0


def test_a_crawl_delay_is_kept(quick: CrawlOptions) -> None:
    with (
        DemoSite(make_books(3), robots_txt="User-agent: *\nCrawl-delay: 0.1") as site,
        Fetcher(site.base_url, quick) as fetcher,
    ):
        started = time.monotonic()
        for _ in range(3):
            fetcher.get(site.base_url)
        assert time.monotonic() - started >= 0.3


def test_an_unavailable_robots_txt_forbids_everything(quick: CrawlOptions) -> None:
    with raw_site({"/robots.txt": http_response(503), "/": http_response(200, b"x")}) as site:
        with (
            Fetcher(site.base_url, replace(quick, max_attempts=2)) as fetcher,
            pytest.raises(FetchFailed, match="HTTP 503"),
        ):
            fetcher.get(site.base_url)
        assert site.requests["/"] == 0


def redirect(location: str) -> bytes:
    return http_response(302, b"moved", f"Location: {location}")


def test_redirects_within_the_site_are_followed(quick: CrawlOptions) -> None:
    responses = {"/a": redirect("b/"), "/b/": redirect("/c#top"), "/c": http_response(200, b"here")}
    with raw_site(responses) as site, Fetcher(site.base_url, quick) as fetcher:
        assert fetcher.get(site.base_url + "a") == (site.base_url + "c", b"here")


def test_a_redirect_loop_ends(quick: CrawlOptions) -> None:
    with raw_site({"/a": redirect("/a")}) as site, Fetcher(site.base_url, quick) as fetcher:
        with pytest.raises(FetchFailed, match="redirecionamentos demais"):
            fetcher.get(site.base_url + "a")
        assert site.requests["/a"] == 6


@pytest.mark.parametrize(
    "location", ["//example.invalid/", "file:///etc/passwd", "http://[", "https://{here}/a"]
)
def test_redirects_off_the_site_are_refused(location: str, quick: CrawlOptions) -> None:
    with raw_site({}) as site, Fetcher(site.base_url, quick) as fetcher:
        site.responses["/a"] = redirect(location.format(here=site.base_url.split("/")[2]))
        with pytest.raises(FetchFailed, match=r"fora do site|redirecionamento ilegível"):
            fetcher.get(site.base_url + "a")


def test_another_port_is_another_site(quick: CrawlOptions) -> None:
    with raw_site({"/secret": http_response(200, b"secret")}) as other, raw_site({}) as site:
        site.responses["/a"] = redirect(other.base_url + "secret")
        with Fetcher(site.base_url, quick) as fetcher:
            for url in (site.base_url + "a", other.base_url + "secret"):
                with pytest.raises(OffSite):
                    fetcher.get(url)
        assert other.requests["/secret"] == 0


def test_a_redirect_into_what_robots_txt_forbids_is_not_followed(quick: CrawlOptions) -> None:
    responses = {"/robots.txt": http_response(200, b"User-agent: *\nDisallow: /b"), "/a": redirect("/b")}
    with raw_site(responses) as site, Fetcher(site.base_url, quick) as fetcher:
        with pytest.raises(DisallowedByRobots):
            fetcher.get(site.base_url + "a")
        assert site.requests["/b"] == 0


def test_a_body_over_the_limit_is_refused_at_once_even_if_it_is_small_until_unpacked(
    quick: CrawlOptions,
) -> None:
    responses = {
        "/plain": http_response(200, b"x" * 200_001),
        "/bomb": http_response(200, gzip.compress(b"x" * 50_000_000), GZIP),
        "/fits": http_response(200, gzip.compress(b"x" * 200_000), GZIP),
    }
    with (
        raw_site(responses) as site,
        Fetcher(site.base_url, replace(quick, max_body_bytes=200_000)) as fetcher,
    ):
        for path in ("plain", "bomb"):
            with pytest.raises(BodyTooLarge):
                fetcher.get(site.base_url + path)
            assert site.requests["/" + path] == 1
        assert len(fetcher.get(site.base_url + "fits").body) == 200_000


def drip(start: bytes) -> Respond:
    """Respond with `start` and then a byte now and then, until the client hangs up."""

    def respond(connection: socket.socket, nth: int) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            threading.Event().wait(0.02)

    return respond


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 X\r\nContent-Length: 99999\r\n\r\n",
        b"HTTP/1.1 200 X\r\n\r\n",
        b"HTTP/1.1 200 X\r\nSlow: ",
    ],
    ids=["body", "body without a length", "head"],
)
def test_bytes_that_drip_in_meet_the_deadline(start: bytes, quick: CrawlOptions) -> None:
    options = replace(quick, attempt_deadline_s=0.2, max_attempts=1)
    with raw_site({"/x": drip(start)}) as site, Fetcher(site.base_url, options) as fetcher:
        started = time.monotonic()
        with pytest.raises(FetchFailed, match=r"não terminou em 0\.2 s"):
            fetcher.get(site.base_url + "x")
        assert time.monotonic() - started < 1.5


def test_silence_meets_the_read_timeout(quick: CrawlOptions) -> None:
    with (
        raw_site({"/x": lambda connection, _: connection.recv(1)}) as site,
        Fetcher(site.base_url, replace(quick, read_timeout_s=0.1, max_attempts=1)) as fetcher,
        pytest.raises(FetchFailed, match="tempo esgotado à espera da resposta"),
    ):
        fetcher.get(site.base_url + "x")


def test_a_port_without_a_server_is_a_failure_in_plain_words(quick: CrawlOptions) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with (
            Fetcher(base_url, replace(quick, max_attempts=2)) as fetcher,
            pytest.raises(FetchFailed, match=r"sem conexão com o site \(2 tentativas\)"),
        ):
            fetcher.get(base_url)


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nab"], ids=["head", "body"]
)
def test_cancelling_ends_a_read_that_hangs(start: bytes, quick: CrawlOptions) -> None:
    cancelled = threading.Event()

    def stall(connection: socket.socket, nth: int) -> None:
        connection.sendall(start)
        cancelled.set()
        connection.recv(1)

    with raw_site({"/x": stall}) as site:
        options = replace(quick, read_timeout_s=30.0, attempt_deadline_s=60.0)
        with Fetcher(site.base_url, options, cancelled) as fetcher:
            started = time.monotonic()
            with pytest.raises(CrawlCancelled):
                fetcher.get(site.base_url + "x")
            assert time.monotonic() - started < 1


def test_cancelling_ends_a_backoff(quick: CrawlOptions) -> None:
    cancelled = threading.Event()

    def refuse(connection: socket.socket, nth: int) -> None:
        connection.sendall(http_response(503, b"", "Retry-After: 60"))
        cancelled.set()

    with raw_site({"/x": refuse}) as site, Fetcher(site.base_url, quick, cancelled) as fetcher:
        started = time.monotonic()
        with pytest.raises(CrawlCancelled):
            fetcher.get(site.base_url + "x")
        assert time.monotonic() - started < 1


def test_the_shop_gets_no_password_from_netrc(
    quick: CrawlOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with raw_site({"/": http_response(200, b"x")}) as site, Fetcher(site.base_url, quick) as fetcher:
        fetcher.get(site.base_url)
        assert not any("authorization" in head.lower() for head in site.heads)


def test_a_proxy_of_the_environment_is_used(quick: CrawlOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_site({"http://shop.invalid/": http_response(200, b"by proxy")}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        with Fetcher("http://shop.invalid/", quick) as fetcher:
            assert fetcher.get("http://shop.invalid/").body == b"by proxy"


def test_faults_of_the_demo_site_lose_nothing(quick: CrawlOptions) -> None:
    faults = Faults(error_rate=0.2, drop_rate=0.2, truncate_rate=0.2)
    books = make_books(20)
    with DemoSite(books, faults) as site, Fetcher(site.base_url, replace(quick, max_attempts=30)) as fetcher:
        for book in books:
            assert fetcher.get(site.base_url[:-1] + book.path).body == body_of(site.pages, book.path)
        assert min(site.stats.faults[kind] for kind in ("error", "drop", "truncate")) > 0
