from __future__ import annotations

import pytest

from scraper.robots import RobotsRules


@pytest.mark.parametrize(
    ("robots", "path", "allowed"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow: /", "/x", False),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf.html", True),
        ("User-agent: *\nDisallow: /a*c*e", "/a-b-c-d-e-f", False),
        ("User-agent: *\nDisallow: /x$", "/xy", True),
        ("User-agent: *\nDisallow: /caf%C3%A9", "/café", False),
        ("User-agent: *\nDisallow: /s?q=%C3%A9", "/s?q=%C3%A9", False),
        ("User-agent: *\nDisallow: /s?q=é", "/s?q=%c3%a9", False),
        ("User-agent: *\nDisallow: /a%2Fb", "/a/b", True),
        ("User-agent: *\nDisallow: /a%2A", "/ab", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Livraria-Scraper/1.0\nDisallow: /b", "/a", True),
        ("User-agent: livraria-scraper\nUser-agent: other\nDisallow: /a", "/a", False),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("\ufeffUser-agent: * # all\r\nDisallow: /a # private\r\nnonsense", "/a", False),
    ],
)
def test_robots_rules_follow_rfc_9309(robots: str, path: str, allowed: bool) -> None:
    assert RobotsRules(robots.encode(), "livraria-scraper").allows(f"http://shop.test{path}") is allowed


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 2.0), ("0.5", 0.5), ("-1", 0.0), ("nan", 0.0), ("inf", 0.0)]
)
def test_only_a_plain_number_is_a_crawl_delay(text: str, seconds: float) -> None:
    assert RobotsRules(f"User-agent: *\nCrawl-delay: {text}".encode(), "us").crawl_delay_s == seconds
