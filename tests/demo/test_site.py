import http.client
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import urljoin

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite

ROOT = Path(__file__).parents[2]
BOOKS = make_books(60)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


def get(url: str) -> tuple[int, bytes]:
    try:
        with OPENER.open(url, timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_every_link_of_the_shop_leads_somewhere_in_the_shop():
    with DemoSite(BOOKS) as site:
        seen, ahead = set(), [site.base_url]
        while ahead:
            url = ahead.pop()
            if url in seen:
                continue
            seen.add(url)
            assert url.startswith(site.base_url)
            body = site.shop.page("/" + url.removeprefix(site.base_url)).body
            if not url.endswith((".svg", ".css")):
                ahead += [urljoin(url, link) for link in re.findall(r'(?:href|src)="([^"]+)"', body.decode())]
        assert {site.base_url[:-1] + book.path for book in BOOKS} < seen
        assert {site.base_url[:-1] + book.image_path for book in BOOKS} < seen


def test_pages_name_no_charset_and_no_host_and_say_what_they_are():
    with DemoSite(BOOKS) as site, OPENER.open(site.base_url, timeout=5) as response:
        body = response.read().decode()
        assert response.headers["Content-Type"] == "text/html"
        assert "made up" in body
        assert "://" not in body


def test_covers_are_drawings_with_the_title():
    with DemoSite(BOOKS) as site:
        for book in BOOKS:
            drawing = ET.fromstring(get(site.base_url[:-1] + book.image_path)[1])
            assert book.title.split()[0] in "".join(drawing.itertext())


def test_what_is_not_there_is_404():
    with DemoSite(BOOKS) as site:
        assert get(site.base_url + "robots.txt")[0] == get(site.base_url + "nowhere")[0] == 404
        site.robots_txt = "User-agent: *\nDisallow:"
        assert get(site.base_url + "robots.txt") == (200, b"User-agent: *\nDisallow:")


def outcomes(faults: Faults) -> list[tuple[int, int]]:
    """Status and size of some answers, asked for one after the other; (0, 0) where none came whole."""
    seen = []
    with DemoSite(BOOKS, faults) as site:
        for book in (*BOOKS[:20], *BOOKS[:20]):
            try:
                status, body = get(site.base_url[:-1] + book.path)
                seen.append((status, len(body)))
            except (OSError, http.client.HTTPException):
                seen.append((0, 0))
        assert site.stats.faults.total() > 0
    return seen


def test_faults_can_be_repeated_from_their_seed():
    faults = Faults(error_rate=0.2, drop_rate=0.2, truncate_rate=0.2, seed=5)
    first = outcomes(faults)
    assert outcomes(faults) == first
    assert first[:20] != first[20:]  # a second request draws anew
    assert {status for status, _ in first} == {0, 200, 503}


def test_a_catalogue_can_be_replaced_while_the_site_runs():
    with DemoSite(BOOKS) as site:
        site.replace_books(BOOKS[:1])
        assert get(site.base_url[:-1] + BOOKS[0].path)[0] == 200
        assert get(site.base_url[:-1] + BOOKS[1].path)[0] == 404


def test_statistics_count_requests_and_the_most_at_once():
    with DemoSite(BOOKS, Faults(latency_s=0.2)) as site:
        clients = [threading.Thread(target=get, args=(site.base_url,)) for _ in range(3)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        stats = site.stats
        assert (stats.requests, stats.max_concurrent, stats.by_status[200], stats.in_flight) == (3, 3, 3, 0)
        assert sum(stats.user_agents.values()) == 3


def test_leaving_the_site_ends_idle_connections_and_every_thread():
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


def test_a_taken_port_is_an_error_at_once():
    with DemoSite(BOOKS) as site, pytest.raises(OSError):
        DemoSite(BOOKS, port=int(site.base_url.split(":")[2].strip("/")))


def test_the_command_serves_until_interrupted():
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "demo.site", "--port", "0", "--books", "30"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        line = process.stderr.readline()
        assert get(re.search(r"http://\S+", line)[0])[0] == 200
        process.send_signal(2)
        assert process.wait(timeout=5) == 0
