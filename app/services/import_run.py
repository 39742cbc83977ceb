"""One import of a file of books, a run like a scrape's."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from app.core.books import Publication
from app.core.catalogue_import import ImportReport, as_crawl
from app.core.errors import ImportCancelled, ImportRefused, ImportTooLarge, Unavailable, UnreadableImport
from app.core.runs import LeaseLost, RunStatus
from app.core.scraping import IMPORT_SOURCE, CrawlResult, Difference, ScrapeRun, StoredBook
from app.services.background import RunFailed, RunKind
from app.services.catalogue import CrawlRejected, examine_crawl, publish_crawl
from app.services.scrape_run import PublishingRun, gate_limits
from app.settings import Settings
from app.storage import catalogue, stock
from app.storage.change_reports import decode_changes, encode_difference
from app.storage.database import Database
from scraper.csv_table import BookTable, TooManyRows, UnreadableTable, read_table
from scraper.errors import CrawlCancelled


def read_file(data: bytes, max_price: Decimal) -> BookTable:
    """Return the books of a file. Raises UnreadableImport or ImportTooLarge."""
    try:
        table = read_table(data, max_price)
    except UnreadableTable as error:
        raise UnreadableImport(f"Linha {error.line}: {error}.") from None
    except TooManyRows as error:
        raise ImportTooLarge(str(error)) from None
    if not table.books:
        raise UnreadableImport(faults_in_words(table) or "O arquivo não tem nenhum livro.", table)
    return table


def faults_in_words(table: BookTable) -> str | None:
    """Return how much of a file is faulty, and what can be done; None where nothing is."""
    faulty, rows = len(table.faulty_lines), len(table.faulty_lines) + len(table.books)
    if not faulty:
        return None
    line, reason = next(iter(table.faulty_lines.items()))
    return (
        f"{faulty} de {rows} linhas têm falhas, a primeira delas a linha {line} ({reason}), e nada mudou. "
        "Corrija-as, ou peça a importação parcial, que publica só as outras."
    )


class BackgroundImport(PublishingRun):
    """Publishes the books of a file; `report` or `failure` says afterwards how that went."""

    def __init__(
        self,
        kind: RunKind[ScrapeRun],
        run: ScrapeRun,
        settings: Settings,
        database: Database,
        table: BookTable,
    ) -> None:
        super().__init__(kind, run, settings, database)
        self.report: ImportReport | None = None
        self.failure: Exception | None = None
        self._table = table

    def work(self) -> None:
        try:
            with self._database.reading() as session:
                stored = catalogue.load_stored_books(session)
                self.result = read_as_crawl(session, self._table, stored, self.run.started_at)
            publication, difference = self._publish()
            self.report = report_of(publication.version, difference)
        except CrawlRejected as error:
            self.failure = ImportRefused(error.reason, self._table)
            raise RunFailed(error.reason) from None
        except CrawlCancelled:
            self.failure = Unavailable(self._kind.stopped) if self._stopping.is_set() else ImportCancelled()
            raise RunFailed("Cancelada a pedido.", RunStatus.CANCELLED) from None
        except LeaseLost:
            self.failure = ImportCancelled()
            raise
        except Exception as error:
            self.failure = error
            raise

    def _publish_in(self, session: Session) -> tuple[Publication, Difference]:
        return publish_crawl(
            session,
            self.result,
            gate_limits(self._settings),
            IMPORT_SOURCE,
            self.run.started_at,
            catalogue.IMPORTED,
        )


def read_as_crawl(
    session: Session, table: BookTable, stored: Sequence[StoredBook], counted_since: datetime
) -> CrawlResult:
    """Return what a crawl would have read that counted the copies since then.

    Orders may follow before it is published: what they reserve is subtracted then, as from a scrape's count.
    """
    reserved = stock.reserved_copies(session, counted_since)
    return as_crawl(table, stored, reserved, stock.courses_since_publication(session))


def rehearse(session: Session, table: BookTable, settings: Settings, now: datetime) -> ImportReport:
    """Return what importing `table` would change, and why it may not, if so."""
    before, stored = catalogue.load_publication(session), catalogue.load_stored_books(session)
    crawl = read_as_crawl(session, table, stored, now)
    difference, demonstration, reason = examine_crawl(
        session, crawl, gate_limits(settings), stored, before, now, catalogue.IMPORTED
    )
    difference = replace(difference, removed=(*difference.removed, *demonstration))
    return report_of(before.version if before else 0, difference, reason)


def report_of(version: int, difference: Difference, blocker: str | None = None) -> ImportReport:
    return ImportReport(version, decode_changes(encode_difference(difference)) or {}, blocker)
