"""The safety gate: which crawls are too odd to be published."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.core.scraping import CrawlResult, Difference, StoredBook
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
    max_lost_category_share: Limit
    max_renamed_share: Limit
    max_sold_out_share: Limit
    max_absurd_price_share: Limit
    max_price: Decimal
    max_price_factor: Decimal


def publication_blocker(
    crawl: CrawlResult, difference: Difference, on_sale: Sequence[StoredBook], limits: Limits
) -> str | None:
    """Return the reason not to publish `crawl`, a sentence; None where it may be published.

    `on_sale` are the books of the present catalogue, none where it needs no protection.
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
    if (repeated := _first_repeated(crawl.in_site_order())) is not None:
        one, other = repeated
        return f"Dois livros com o mesmo UPC {one.upc!r}: {one.url} e {other.url}; não há como distingui-los."
    for count, total, what, limit in _losses(crawl, difference, on_sale, limits):
        if count > limit.value * total:
            return f"{count} de {total} {what}, acima do limite de {_percent(limit)}."
    absurd = absurd_prices(crawl, difference, limits)
    too_many = len(absurd) > limits.max_absurd_price_share.value * len(crawl.read)
    if too_many or len(absurd) == len(crawl.read):
        return (
            f"{len(absurd)} de {len(crawl.read)} livros com preço absurdo, acima do limite de "
            f"{_percent(limits.max_absurd_price_share)}, entre eles {next(iter(absurd.values()))}."
        )
    return None


def absurd_prices(crawl: CrawlResult, difference: Difference, limits: Limits) -> dict[str, str]:
    """Return the books that are not to be sold at the price that the crawl read, described, by UPC."""
    absurd = {
        book.upc: f"{book.title!r} a {book.price_incl_tax}"
        for book in crawl.read.values()
        if not 0 < book.price_excl_tax <= book.price_incl_tax <= limits.max_price
    }
    for change in (*difference.repriced, *difference.returned):
        old, new = change.before.page.price_incl_tax, change.after.page.price_incl_tax
        if max(old, new) > limits.max_price_factor * min(old, new):
            absurd[change.after.page.upc] = f"{change.after.page.title!r}, que passou de {old} a {new}"
    return absurd


def _losses(
    crawl: CrawlResult, difference: Difference, on_sale: Sequence[StoredBook], limits: Limits
) -> Iterator[tuple[int, int, str, Limit]]:
    """Yield, for each thing that the catalogue may lose, how much of how much it would, in words, and the limit."""
    vanished = {book.id for book in difference.removed}
    yield len(vanished), len(on_sale), "livros sumiram da loja", limits.max_vanished_share
    changed = difference.changed()
    after = [changed.get(book.id, book) for book in on_sale if book.id not in vanished]
    after += (*difference.added, *(change.after for change in difference.returned))
    categories = {book.page.category for book in on_sale}
    lost = categories - {book.page.category for book in after}
    yield len(lost), len(categories), "categorias desapareceram", limits.max_lost_category_share
    renamed = sum(_name(change.before) != _name(change.after) for change in difference.edited)
    yield renamed, len(on_sale), "livros mudaram de título ou de categoria", limits.max_renamed_share
    counts = {
        book.upc: book.stock for book in crawl.read.values()
    }  # less reserved copies, all may be sold out
    sold_out = sum(
        change.before.page.stock > 0 == counts[change.after.page.upc] for change in difference.restocked
    )
    available = sum(book.page.stock > 0 for book in on_sale)
    yield sold_out, available, "livros disponíveis ficaram sem estoque", limits.max_sold_out_share


def _name(book: StoredBook) -> tuple[str, str]:
    return book.page.title, book.page.category


def _commonest(reasons: Iterable[str]) -> str:
    counts = Counter(reasons).most_common(1)
    return "".join(f"Motivo mais comum ({count}): {reason}" for reason, count in counts)


def _percent(limit: Limit) -> str:
    return f"{(limit.value * 100).normalize():f}% ({limit.setting})"


def _first_repeated(books: Iterable[ScrapedBook]) -> tuple[ScrapedBook, ScrapedBook] | None:
    """Return the first two books with one UPC."""
    seen: dict[str, ScrapedBook] = {}
    for book in books:
        first = seen.setdefault(book.upc, book)
        if first is not book:
            return first, book
    return None
