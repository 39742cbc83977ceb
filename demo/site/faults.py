"""What can be wrong with a shop, drawn so that a run can be repeated."""

from dataclasses import dataclass

from demo.site.books import DemoBook, draw

LACKING = ("price", "table", "price and table")


@dataclass(frozen=True, slots=True)
class Faults:
    """How often pages fail; rates are shares of the requests from 0 to 1.

    Each request draws anew from (seed, kind, path, how often that path was asked for), whatever the client's
    concurrency. `malformed_rate` alone is drawn per product and stays: asking again does not mend the page.
    """

    latency_s: float = 0.0
    error_rate: float = 0.0
    error_status: int = 503
    retry_after_s: int | None = None  # sent with the errors
    drop_rate: float = 0.0  # the connection closes without an answer
    truncate_rate: float = 0.0  # it closes in the middle of the body
    malformed_rate: float = 0.0
    seed: int = 0

    def strike(self, kind: str, rate: float, path: str, nth: int) -> bool:
        return bool(rate) and draw(self.seed, kind, path, nth) < rate

    def lacking(self, book: DemoBook) -> str:
        """What the book's page lacks: "" or one of LACKING."""
        if not self.strike("malformed", self.malformed_rate, book.path, 0):
            return ""
        return LACKING[int(draw(self.seed, "lacking", book.path) * len(LACKING))]
