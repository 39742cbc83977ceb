"""Whether to trust a crawl."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.core.scraping import CrawlResult, Difference
from scraper.book import ScrapedBook


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a scrape is not trusted; shares are fractions of 1, prices pounds."""

    max_failed_share: Decimal
    max_vanished_share: Decimal
    max_absurd_price_share: Decimal
    max_price: Decimal
    max_price_factor: Decimal


def publication_blocker(
    crawl: CrawlResult, difference: Difference, listed: int, limits: Limits
) -> str | None:
    """The reason, in a sentence, why `crawl` must not be published; None where it may.

    `listed` is how many books the present catalogue has, 0 when there is nothing to protect.
    """
    expected = max(crawl.announced, len(crawl.read) + len(crawl.failed))
    if not crawl.read:
        return "Nenhum livro foi lido."
    missing = expected - len(crawl.read)
    if missing > limits.max_failed_share * expected:
        return (
            f"{missing} de {expected} livros não puderam ser lidos, acima do limite de "
            f"{_percent(limits.max_failed_share)} (SCRAPER_MAX_FAILED_SHARE). {_most_common(crawl.failed.values())}"
        ).strip()
    repeated = _first_repeated(book.upc for book in crawl.read.values())
    if repeated:
        return f"Dois livros com o mesmo UPC {repeated!r}: não há como distingui-los."
    vanished = len(difference.removed)
    if listed and vanished > limits.max_vanished_share * listed:
        return (
            f"{vanished} de {listed} livros sumiram da loja, acima do limite de {_percent(limits.max_vanished_share)} "
            "(SCRAPER_MAX_VANISHED_SHARE)."
        )
    absurd = _absurd_prices(crawl.read.values(), difference, limits)
    if len(absurd) > limits.max_absurd_price_share * len(crawl.read):
        return f"{len(absurd)} livros com preço absurdo, entre eles {absurd[0]}."
    return None


def _absurd_prices(read: Collection[ScrapedBook], difference: Difference, limits: Limits) -> list[str]:
    absurd = {
        book.upc: f"{book.title!r} a {book.price_incl_tax}"
        for book in read
        if not 0 < book.price_excl_tax <= book.price_incl_tax <= limits.max_price
    }
    for change in difference.repriced:
        old, new = change.before.shown.price_incl_tax, change.after.shown.price_incl_tax
        if max(old, new) > limits.max_price_factor * min(old, new):
            absurd[change.after.shown.upc] = f"{change.after.shown.title!r}, que passou de {old} a {new}"
    return list(absurd.values())


def _most_common(reasons: Iterable[str]) -> str:
    counted: dict[str, int] = {}
    for reason in reasons:
        counted[reason] = counted.get(reason, 0) + 1
    if not counted:
        return ""
    reason, count = max(counted.items(), key=lambda item: item[1])
    return f"Motivo mais comum ({count}): {reason}"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%"


def _first_repeated(values: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
