"""The safety gate: which crawls are too odd to be published."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.core.scraping import CrawlResult, Difference
from scraper.book import ScrapedBook


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that a refusal shows, with the name of the setting that changes it."""

    value: Decimal
    setting: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a trusted crawl may have; shares are fractions of 1, prices pounds."""

    max_failed_share: Limit
    max_vanished_share: Limit
    max_absurd_price_share: Decimal
    max_price: Decimal
    max_price_factor: Decimal


def publication_blocker(
    crawl: CrawlResult, difference: Difference, listed: int, limits: Limits
) -> str | None:
    """Return the reason not to publish `crawl`, a sentence; None where it may be published.

    `listed` is the number of books in the present catalogue, 0 where it needs no protection.
    """
    if not crawl.read:
        return "Nenhum livro foi lido."
    expected = max(crawl.announced, len(crawl.read) + len(crawl.failed))
    missing = expected - len(crawl.read)
    if missing > limits.max_failed_share.value * expected:
        return (
            f"{missing} de {expected} livros não puderam ser lidos, acima do limite de "
            f"{_percent(limits.max_failed_share)}. {_commonest(crawl.failed.values())}"
        ).strip()
    repeated = _first_repeated(book.upc for book in crawl.read.values())
    if repeated:
        return f"Dois livros com o mesmo UPC {repeated!r}: não há como distingui-los."
    vanished = len(difference.removed)
    if listed and vanished > limits.max_vanished_share.value * listed:
        return (
            f"{vanished} de {listed} livros sumiram da loja, acima do limite de "
            f"{_percent(limits.max_vanished_share)}."
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
        old, new = change.before.page.price_incl_tax, change.after.page.price_incl_tax
        if max(old, new) > limits.max_price_factor * min(old, new):
            absurd[change.after.page.upc] = f"{change.after.page.title!r}, que passou de {old} a {new}"
    return list(absurd.values())


def _commonest(reasons: Iterable[str]) -> str:
    counts = Counter(reasons).most_common(1)
    return "".join(f"Motivo mais comum ({count}): {reason}" for reason, count in counts)


def _percent(limit: Limit) -> str:
    return f"{(limit.value * 100).normalize():f}% ({limit.setting})"


def _first_repeated(values: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
