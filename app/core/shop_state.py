"""The state of the whole shop at one moment, for its metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LOW_STOCK = 3
"""The largest stock that counts as low."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopState:
    """The state of the shop. Times are seconds since 1970 (0 for never), durations seconds."""

    catalogue_version: int
    books: int
    published_at: float
    stock_units: int
    low_stock_books: int
    out_of_stock_books: int
    scrape_running: bool
    last_scrape_seconds: float
    last_scrape_success_at: float
    next_scheduled_scrape_at: float
    last_scheduled_scrape_at: float
    orders_by_status: Mapping[str, int]
    model_version: int
    model_accuracy: float
    """The active model's accuracy in its training, a fraction of 1."""
    baseline_accuracy: float
    """The accuracy of always predicting the commonest rating of the present catalogue."""
    model_trained_at: float
    training_running: bool
    inventory: Mapping[int, int] = field(default_factory=dict)
    """The stock, by id, of the books with a series of their own."""
