"""How hard a crawl may press the shop, and how long it puts up with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """Every bound of a crawl; times are seconds, sizes bytes. Raises ValueError for one that is too small."""

    concurrency: int = 8  # requests in flight at once, listing pages included
    max_attempts: int = 8  # per page, the first included
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0  # silence while waiting for an answer or its next bytes
    attempt_deadline_s: float = 60.0  # one attempt in all, however steadily its bytes drip in
    backoff_base_s: float = 0.25  # the longest wait after a first failure; it doubles with each one
    backoff_cap_s: float = 15.0
    max_retry_after_s: float = 120.0  # of a Retry-After, what is respected
    max_body_bytes: int = 2 * 1024 * 1024  # decoded
    max_pages: int = 25_000  # listing and product pages together

    def __post_init__(self) -> None:
        for name in ("concurrency", "max_attempts", "max_body_bytes", "max_pages"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("connect_timeout_s", "read_timeout_s", "attempt_deadline_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")


DEFAULT_OPTIONS = CrawlOptions()
