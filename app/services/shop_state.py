"""How the shop stands, for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from app.core.orders import OrderStatus
from app.core.shop_state import LOW_STOCK, ShopState
from app.storage import orders, scraping, stock
from app.storage import training as training_rows
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database


class Watch:
    """Looks at the catalogue of this process and at the rows that all processes share. Holds no state."""

    def __init__(self, database: Database, catalogue: CatalogueStore, inventory_books: int) -> None:
        self._database = database
        self._catalogue = catalogue
        self._inventory_books = inventory_books

    def look(self) -> ShopState:
        """Raises SQLAlchemyError where the database doesn't answer."""
        catalogue = self._catalogue.current()
        frame = catalogue.books()
        copies = frame["stock"]
        with self._database.reading() as session:
            by_status = orders.count_by_status(session)
            sold = stock.books_sold_last(session, self._inventory_books)
            last, success = scraping.last_ended_run(session), scraping.last_success(session)
            running = bool(scraping.runs_in_progress(session))
            model, training = (
                training_rows.active_model(session),
                training_rows.trainings_in_progress(session),
            )
        ratings = catalogue.overview().by_rating
        baseline = max(ratings.values()) / max(1, len(catalogue))
        return ShopState(
            catalogue_version=catalogue.publication.version,
            books=len(catalogue),
            published_at=catalogue.publication.published_at.timestamp(),
            stock_units=int(copies.sum()),
            low_stock_books=int(copies.between(1, LOW_STOCK).sum()),
            out_of_stock_books=int((copies == 0).sum()),
            scrape_running=running,
            last_scrape_seconds=(last.ended_at - last.started_at).total_seconds()
            if last and last.ended_at
            else 0.0,
            last_scrape_success_at=success.timestamp() if success else 0.0,
            orders_by_status={status.value: by_status.get(status.value, 0) for status in OrderStatus},
            model_version=model.id if model else 0,
            model_accuracy=model.card["acuracia"] if model and model.card else baseline,
            baseline_accuracy=baseline,
            model_trained_at=model.ended_at.timestamp() if model and model.ended_at else 0.0,
            training_running=bool(training),
            inventory=_inventory(frame, sold, self._inventory_books),
        )


def _inventory(frame: pd.DataFrame, sold: Sequence[int], books: int) -> dict[int, int]:
    """Up to half of `books` that were sold last, and of the others those of which there is least."""
    stocks = pd.Series(frame["stock"].to_numpy(), index=frame["id"])
    known = [book_id for book_id in sold if book_id in stocks.index][: books // 2]
    scarce = stocks.drop(known).nsmallest(books - len(known)).index.tolist()
    return {int(book_id): int(stocks[book_id]) for book_id in sorted([*known, *scarce])}
