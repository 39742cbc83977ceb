"""Pages of the demonstration shop, without a server."""

from __future__ import annotations

from demo.site.pages import Pages


def body_of(pages: Pages, path: str) -> bytes:
    page = pages.render(path)
    assert page is not None, path
    return page.body
