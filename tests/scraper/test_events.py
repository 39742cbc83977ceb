from __future__ import annotations

from decimal import Decimal

import pytest

from scraper.book import ScrapedBook
from scraper.errors import CrawlFailed
from scraper.events import (
    CrawlEvent,
    CrawlFinished,
    Idle,
    ListingRead,
    PageFailed,
    ProductRead,
    ProductSkipped,
    decode_event,
    encode_event,
)

BOOK = ScrapedBook(
    url="http://shop.test/œ", upc="u", title="“A”\n\u2028\ud800", category="Poetry", price_excl_tax=Decimal("10.10"),
    price_incl_tax=Decimal("12.00"), stock=3, rating=5, image_url="http://shop.test/a.jpg", description="",
)  # fmt: skip


@pytest.mark.parametrize(
    "event",
    [
        ListingRead("http://shop.test/", 1, 3, 0, ("http://shop.test/a", "http://shop.test/b")),
        ProductRead("http://shop.test/a", 0, BOOK),
        ProductSkipped("http://shop.test/a", 0),
        PageFailed("http://shop.test/a", 0, "sem preço"),
        PageFailed("http://shop.test/a", 0, "falha inesperada", "TypeError"),
        Idle(),
        CrawlFinished(1000, 999, 1051, 3, 6.5),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_back_from_its_line_as_it_was(event: CrawlEvent) -> None:
    line = encode_event(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_event(line) == event


def test_the_line_of_a_failed_crawl_raises_its_reason() -> None:
    with pytest.raises(CrawlFailed) as caught:
        decode_event(encode_event(CrawlFailed("listagem não lida")))
    assert caught.value.reason == "listagem não lida"
