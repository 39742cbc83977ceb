"""The pages in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.site.server import DemoSite
from tests.support.browser import open_chromium
from tests.support.server import Server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, start_server: Callable[..., Server]) -> Iterator[Page]:
    """A page on which a failed request, a script error or a policy violation fails the test.

    It asks for the servers only to be closed before them.
    """
    page = browser.new_page()
    complaints: list[str] = []
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None
    )
    yield page
    page.close()
    assert complaints == []


def test_swagger_logs_in_authorizes_and_triggers_a_scrape(
    page: Page, start_server: Callable[..., Server], open_site: Callable[..., DemoSite]
) -> None:
    server = start_server(SCRAPER_BASE_URL=open_site().base_url)
    page.goto(f"{server.url}/apidocs/")

    login = page.locator(".opblock", has=page.get_by_text("/api/v1/auth/login", exact=True))
    login.locator(".opblock-summary-control").click()
    login.locator("textarea").fill('{"username": "admin", "password": "1234"}')
    login.get_by_role("button", name="Execute").click()
    response = login.locator(".live-responses-table")
    expect(response.locator("tbody .response-col_status").first).to_contain_text("200")
    token = response.locator(".highlight-code").first.inner_text().split('"access_token": "')[1].split('"')[0]

    page.locator(".auth-wrapper .authorize").first.click()
    access = page.locator(".auth-container", has=page.get_by_text("tokenDeAcesso", exact=False))
    access.locator("input").fill(token)
    access.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").first.click()

    trigger = page.locator(".opblock", has=page.get_by_text("/api/v1/scraping/trigger", exact=True))
    trigger.locator(".opblock-summary-control").click()
    trigger.get_by_role("button", name="Execute").click()
    expect(trigger.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("202")
    assert server.wait_for_scrape()["status"] == "done"


def test_the_entrance_leads_to_everything_and_says_which_catalogue_it_shows(
    page: Page, start_server: Callable[..., Server]
) -> None:
    server = start_server()
    page.goto(server.url)
    expect(page.get_by_role("note")).to_contain_text("catálogo de demonstração")
    for href in {link.get_attribute("href") for link in page.locator("a").all()}:
        assert server.get(str(href)).status_code == 200, href
    page.get_by_role("link", name="Experimentar a API").click()
    expect(page.get_by_role("heading", name="Livraria")).to_be_visible()
