"""The limits of a crawl."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """Every bound of a crawl; times are seconds, sizes bytes. Raises ValueError for one that is too small."""

    concurrency: int = 8
    """Requests in flight at once, listing pages included."""
    max_attempts: int = 8
    """Per page, the first included."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    """Silence before a response or its next bytes."""
    attempt_deadline_s: float = 60.0
    """One attempt in all, however steadily its bytes arrive."""
    backoff_base_s: float = 0.25
    """The longest wait after a first failure; it doubles with each one."""
    backoff_cap_s: float = 15.0
    max_retry_after_s: float = 120.0
    """The part of a Retry-After that is respected."""
    max_body_bytes: int = 2 * 1024 * 1024
    """Of the decoded body."""
    max_pages: int = 25_000
    """Listing and product pages together."""

    def __post_init__(self) -> None:
        for name in ("concurrency", "max_attempts", "max_body_bytes", "max_pages"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("connect_timeout_s", "read_timeout_s", "attempt_deadline_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")


DEFAULT_OPTIONS = CrawlOptions()
