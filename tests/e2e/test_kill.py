"""The server killed outright in the middle of scrapes."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from app.services.scraping import ORPHANED
from demo.site.books import DemoBook
from demo.site.server import DemoSite
from tests.support.server import Server

KILLS = 10


def test_killed_at_ten_random_moments_a_scrape_resumes_and_ends_with_the_same_catalogue(
    start_server: Callable[..., Server], open_site: Callable[..., DemoSite], books: tuple[DemoBook, ...]
) -> None:
    site = open_site(latency_s=0.2)  # twenty pages a second at four at a time, staged every half second
    server = start_server(SCRAPER_BASE_URL=site.base_url, SCRAPER_CONCURRENCY="4")
    before = server.get("/api/v1/books").content
    moments = random.Random(2026)
    died_in_the_middle = staged = 0
    for _ in range(KILLS):
        response = server.post("/api/v1/scraping/trigger", headers=server.log_in())
        assert response.status_code == 202, response.text
        status = server.get("/api/v1/scraping/status").json()
        if (
            moments.random() < 0.5
        ):  # half of them after something new was staged, so that there is what to resume
            deadline = time.monotonic() + 20
            while status["status"] == "processing" and status["livros_lidos"] <= staged:
                assert time.monotonic() < deadline
                status = server.get("/api/v1/scraping/status").json()
        time.sleep(moments.uniform(0, 0.3))  # the moment of death, not a wait for something
        status = server.get("/api/v1/scraping/status").json()
        died_in_the_middle += status["status"] == "processing"
        staged = status["livros_lidos"]
        server.end(signal.SIGKILL, workers_too=True)
        server.start()
        if server.get("/health").json()["origem"] == "demonstracao":
            assert server.get("/api/v1/books").content == before
    assert died_in_the_middle >= KILLS // 2

    header = server.log_in()
    server.post("/api/v1/scraping/trigger", headers=header)
    assert server.wait_for_scrape()["status"] == "done"
    runs = server.get("/api/v1/scraping/runs", headers=header).json()
    assert {run["status"] for run in runs[1:]} <= {"interrupted", "done"}
    assert any(run["paginas_reaproveitadas"] for run in runs)
    assert all(run["motivo"] == ORPHANED for run in runs if run["status"] == "interrupted")
    listed = server.get("/api/v1/books").json()
    assert [(book["id"], book["titulo"], book["disponibilidade"]) for book in listed] == [
        (place, book.title, book.stock) for place, book in enumerate(books)
    ]
