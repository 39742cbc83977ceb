from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.runs import RunStatus
from app.core.scraping import ScrapeRun
from app.web.presenters.scraping import present_progress

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(seconds=10)
RUN = ScrapeRun(
    id=1, status=RunStatus.PROCESSING, reason=None, started_by="admin", started_at=START, ended_at=None,
    holder="me", expires_at=NOW, base_url="https://shop.invalid/", resumed_from=None, cancelled_by=None,
    pages_total=100, pages_done=40, pages_failed=0, pages_reused=0, books_read=38, published_version=None,
    change_counts=None,
)  # fmt: skip


def test_progress_is_a_share_of_the_pages_with_an_estimate_of_the_end() -> None:
    shown = present_progress(RUN, NOW)
    assert (shown["percentual"], shown["paginas_total"]) == (40.0, 100)
    assert shown["termino_estimado"] == "2026-01-01T00:00:25.000Z"


@pytest.mark.parametrize("announced", [0, 12])
def test_a_site_that_announces_too_few_books_is_done_at_most_and_ends_no_earlier_than_now(
    announced: int,
) -> None:
    shown = present_progress(replace(RUN, pages_total=announced, pages_done=42), NOW)
    assert (shown["percentual"], shown["paginas_total"]) == (100.0, 42)
    assert shown["termino_estimado"] == "2026-01-01T00:00:10.000Z"


def test_a_run_that_has_read_nothing_shows_nothing_done() -> None:
    shown = present_progress(replace(RUN, pages_total=0, pages_done=0), NOW)
    assert (shown["percentual"], shown["termino_estimado"]) == (0.0, None)
