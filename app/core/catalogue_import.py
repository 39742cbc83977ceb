"""Files of books as a crawl of a shop would have read them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.scraping import ChangeKind, CrawlResult, ReportedBook, StoredBook, looks_of
from scraper.book import ScrapedBook
from scraper.csv_table import BookTable

MADE_UP_UPC = "importado-"
"""How the UPC of a book begins whose file had none; no shop's does."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changed, or would change; `blocker` is the reason why it may not, a sentence."""

    version: int
    changes: Mapping[ChangeKind, Sequence[ReportedBook]]
    blocker: str | None = None


@dataclass(frozen=True, slots=True)
class StockCourse:
    """How far a book's stock is from what was last published, and how far below and above it was since."""

    now: int = 0
    lowest: int = 0
    highest: int = 0


def as_crawl(
    table: BookTable,
    stored: Sequence[StoredBook],
    reserved: Mapping[int, int],
    courses: Mapping[int, StockCourse],
) -> CrawlResult:
    """Return what a crawl would have read of a shop with the books of `table`, among them the `stored` ones.

    A column that the file lacks is as it is stored. A file without UPCs is the shop's own export: its books are
    recognised by title and image, and its stock is what could be ordered when it was written. `reserved` are by id the
    copies that the supplier still counts; `courses` has the books that moved since the last publication.
    """
    known = {book.page.upc: book for book in stored}
    if "upc" not in table.columns:
        last_listed = sorted(stored, key=lambda book: book.listed)
        by_looks = {looks_of(book.page): book for book in last_listed}
    pages = []
    for page in table.books.values():
        if "upc" not in table.columns:
            page = _recognised(page, by_looks.get(looks_of(page)), reserved, courses)
        if "descricao" not in table.columns and page.upc in known:
            page = replace(page, description=known[page.upc].page.description)
        pages.append(page)
    rows = len(table.books) + len(table.faulty_lines)
    return CrawlResult(
        announced=rows,
        read=dict(enumerate(pages)),
        failed={f"linha {line}": reason for line, reason in table.faulty_lines.items()},
        pages_total=rows,
        pages_done=rows,
        partial=bool(table.faulty_lines),
    )


def _recognised(
    page: ScrapedBook,
    book: StoredBook | None,
    reserved: Mapping[int, int],
    courses: Mapping[int, StockCourse],
) -> ScrapedBook:
    """Return `page` with the identity of `book`, or one of its own, and the supplier's count as its stock."""
    if book is None:
        digest = hashlib.sha256("\0".join(looks_of(page)).encode()).hexdigest()
        return replace(page, upc=f"{MADE_UP_UPC}{digest[:40]}")
    course = courses.get(book.id, StockCourse())
    published = book.page.stock - course.now
    unchanged = course.lowest <= page.stock - published <= course.highest  # when the file was written
    free = book.page.stock - book.short if unchanged else page.stock + course.now
    return replace(page, upc=book.page.upc, url=book.page.url, stock=max(0, free + reserved.get(book.id, 0)))
