from __future__ import annotations

import pytest

from demo.__main__ import SCHEDULE, read_plan


def test_the_demonstration_scrapes_by_a_schedule_and_shows_what_operators_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SCRAPER_SCHEDULE", "API_USER", "API_PASSWORD"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ADMIN_PASSWORD", "outra")
    environment = read_plan([]).environment
    assert (environment["SCRAPER_SCHEDULE"], environment["API_USER"], environment["API_PASSWORD"]) == (
        SCHEDULE, "admin", "outra",
    )  # fmt: skip


def test_a_schedule_of_ones_own_wins_over_the_demonstrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRAPER_SCHEDULE", "* * * * *")
    assert read_plan([]).environment["SCRAPER_SCHEDULE"] == "* * * * *"
