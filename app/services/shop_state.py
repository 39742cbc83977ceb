"""The state of the shop, for Prometheus."""

from collections.abc import Sequence

from app.core.catalogue import Catalogue
from app.core.orders import OrderStatus
from app.core.runs import ENDED, Run, RunStatus
from app.core.shop_state import LOW_STOCK, ShopState
from app.storage import orders, scraping, stock, training
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.schedule import last_began_at, load_schedule


def read_shop_state(database: Database, catalogue_store: CatalogueStore, inventory_books: int) -> ShopState:
    """Return the state of the shop, with the stock of `inventory_books` books. Raises SQLAlchemyError."""
    catalogue = catalogue_store.current()
    copies = catalogue.all_stocks()
    with database.reading(within_s=5.0) as session:
        by_status = orders.count_by_status(session)
        sold = stock.books_sold_last(session, inventory_books)
        scrapes, trainings = scraping.RUNS.in_progress(session), training.RUNS.in_progress(session)
        scrape = scraping.latest_scrape(session, *ENDED)
        success = scraping.latest_scrape(session, RunStatus.DONE)
        model = training.active_model(session)
        next_start_at, last_start_at = load_schedule(session).starts_at, last_began_at(session)
    ratings = catalogue.overview().by_rating
    baseline = max(ratings.values()) / max(1, len(catalogue))
    return ShopState(
        catalogue_version=catalogue.publication.version,
        books=len(catalogue),
        published_at=catalogue.publication.published_at.timestamp(),
        stock_units=int(copies.sum()),
        low_stock_books=int(((copies >= 1) & (copies <= LOW_STOCK)).sum()),
        out_of_stock_books=int((copies == 0).sum()),
        scrape_running=any(not run.is_import for run in scrapes),
        last_scrape_seconds=(scrape.duration_s if scrape else None) or 0.0,
        last_scrape_success_at=_timestamp(success),
        next_scheduled_scrape_at=next_start_at.timestamp() if next_start_at else 0.0,
        last_scheduled_scrape_at=last_start_at.timestamp() if last_start_at else 0.0,
        orders_by_status={status.value: by_status.get(status.value, 0) for status in OrderStatus},
        model_version=model.id if model else 0,
        model_accuracy=model.card["acuracia"] if model and model.card else baseline,
        baseline_accuracy=baseline,
        model_trained_at=_timestamp(model),
        training_running=bool(trainings),
        inventory=_inventory(catalogue, sold, inventory_books),
    )


def _timestamp(run: Run | None) -> float:
    """Return when a run ended, in seconds since 1970; 0 for never."""
    return run.ended_at.timestamp() if run is not None and run.ended_at is not None else 0.0


def _inventory(catalogue: Catalogue, sold: Sequence[int], books: int) -> dict[int, int]:
    """Return the stock, by id, of `books` books: up to half of them sold last, the others the scarcest."""
    known = [book_id for book_id in sold if book_id in catalogue][: books // 2]
    scarce = [book_id for book_id in catalogue.scarcest(books) if book_id not in known]
    return {book_id: catalogue.stock(book_id) for book_id in sorted([*known, *scarce[: books - len(known)]])}
