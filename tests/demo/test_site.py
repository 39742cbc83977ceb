from __future__ import annotations

import http.client
import re
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from urllib.parse import urljoin

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from tests.support.demo_pages import body_of

BOOKS = make_books(60)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


def get(url: str) -> tuple[int, bytes]:
    try:
        with OPENER.open(url, timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_every_link_of_the_shop_leads_somewhere_in_the_shop() -> None:
    with DemoSite(BOOKS) as site:
        visited, pending = set(), [site.base_url]
        while pending:
            url = pending.pop()
            if url in visited:
                continue
            visited.add(url)
            assert url.startswith(site.base_url)
            body = body_of(site.pages, "/" + url.removeprefix(site.base_url))
            if not url.endswith((".svg", ".css")):
                pending += [
                    urljoin(url, link) for link in re.findall(r'(?:href|src)="([^"]+)"', body.decode())
                ]
        assert {site.base_url[:-1] + book.path for book in BOOKS} < visited
        assert {site.base_url[:-1] + book.image_path for book in BOOKS} < visited


def test_pages_name_no_charset_and_no_host_and_say_what_they_are() -> None:
    with DemoSite(BOOKS) as site, OPENER.open(site.base_url, timeout=5) as response:
        body = response.read().decode()
        assert response.headers["Content-Type"] == "text/html"
        assert "made up" in body
        assert "://" not in body


def test_covers_are_drawings_with_the_title() -> None:
    with DemoSite(BOOKS) as site:
        for book in BOOKS:
            drawing = ET.fromstring(get(site.base_url[:-1] + book.image_path)[1])
            assert book.title.split()[0] in "".join(drawing.itertext())


def test_unknown_paths_are_404() -> None:
    with DemoSite(BOOKS) as site:
        assert get(site.base_url + "robots.txt")[0] == get(site.base_url + "nowhere")[0] == 404
        site.robots_txt = "User-agent: *\nDisallow:"
        assert get(site.base_url + "robots.txt") == (200, b"User-agent: *\nDisallow:")


def outcomes(faults: Faults) -> list[tuple[int, int]]:
    """Request some pages one after the other; status and size of each response, (0, 0) if it is not complete."""
    responses = []
    with DemoSite(BOOKS, faults) as site:
        for book in (*BOOKS[:20], *BOOKS[:20]):
            try:
                status, body = get(site.base_url[:-1] + book.path)
                responses.append((status, len(body)))
            except (OSError, http.client.HTTPException):
                responses.append((0, 0))
        assert site.stats.faults.total() > 0
    return responses


def test_faults_can_be_repeated_from_their_seed() -> None:
    faults = Faults(error_rate=0.2, drop_rate=0.2, truncate_rate=0.2, seed=5)
    first = outcomes(faults)
    assert outcomes(faults) == first
    assert first[:20] != first[20:]  # a second request draws anew
    assert {status for status, _ in first} == {0, 200, 503}


def test_a_catalogue_can_be_replaced_while_the_site_runs() -> None:
    with DemoSite(BOOKS) as site:
        site.replace_books(BOOKS[:1])
        assert get(site.base_url[:-1] + BOOKS[0].path)[0] == 200
        assert get(site.base_url[:-1] + BOOKS[1].path)[0] == 404


def test_statistics_count_requests_and_the_most_at_once() -> None:
    with DemoSite(BOOKS, Faults(latency_s=0.2)) as site:
        clients = [threading.Thread(target=get, args=(site.base_url,)) for _ in range(3)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        stats = site.stats
        assert (stats.requests, stats.max_concurrent, stats.by_status[200], stats.in_flight) == (3, 3, 3, 0)
        assert sum(stats.user_agents.values()) == 3


def test_leaving_the_site_ends_idle_connections_and_every_thread() -> None:
    before = set(threading.enumerate())
    with DemoSite(BOOKS) as site:
        host, port = site.base_url.split("/")[2].split(":")
        client = http.client.HTTPConnection(host, int(port), timeout=5)
        client.request("GET", "/")
        client.getresponse().read()  # and the connection stays open
        started = time.monotonic()
    assert time.monotonic() - started < 2
    assert set(threading.enumerate()) == before
    client.close()


def test_a_taken_port_is_an_error_at_once() -> None:
    with DemoSite(BOOKS) as site, pytest.raises(OSError):
        DemoSite(BOOKS, port=int(site.base_url.split(":")[2].strip("/")))
