"""Fault injection for the shop's pages, repeatable from a seed."""

from dataclasses import dataclass

from demo.site.books import DemoBook, draw

LACKING = ("price", "table", "price and table")


@dataclass(frozen=True, slots=True)
class Faults:
    """How often pages fail; rates are shares of the requests from 0 to 1.

    Each request draws anew from (seed, kind, path, number of the request for this path), so that the clients'
    concurrency does not matter. `malformed_rate` alone is drawn per product: a retry does not mend the page.
    """

    latency_s: float = 0.0
    error_rate: float = 0.0
    error_status: int = 503
    retry_after_s: int | None = None
    """Sent with the errors."""
    drop_rate: float = 0.0
    """Connections closed without a response."""
    truncate_rate: float = 0.0
    """Connections closed in the middle of the body."""
    malformed_rate: float = 0.0
    seed: int = 0

    def should_fail(self, kind: str, rate: float, path: str, nth: int) -> bool:
        """Draw whether the `nth` request for `path` gets a fault of this `kind`."""
        return bool(rate) and draw(self.seed, kind, path, nth) < rate

    def lacking(self, book: DemoBook) -> str:
        """Say what the book's page lacks: "" or one of LACKING."""
        if not self.should_fail("malformed", self.malformed_rate, book.path, 0):
            return ""
        return LACKING[int(draw(self.seed, "lacking", book.path) * len(LACKING))]
