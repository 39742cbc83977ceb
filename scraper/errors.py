"""Errors of fetching, parsing and crawling; users read their reasons, hence in Portuguese.

FetchFailed             the page never arrived
    PageRefused         the shop responded with a status that a retry will not change
    BodyTooLarge        its body is over the limit
    OffSite             its URL has another host, port or scheme than the base URL
    DisallowedByRobots  robots.txt forbids it
MalformedPage           a page arrived, but lacks what it should have
CrawlFailed             a listing page could not be read, so that books would be missing
CrawlCancelled          the caller has cancelled the crawl
"""


class FetchFailed(Exception):
    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} ({self.url})"


class PageRefused(FetchFailed):
    def __init__(self, url: str, status: int) -> None:
        super().__init__(url, f"HTTP {status}")
        self.status = status


class BodyTooLarge(FetchFailed):
    pass


class OffSite(FetchFailed):
    pass


class DisallowedByRobots(FetchFailed):
    pass


class MalformedPage(Exception):
    def __init__(self, url: str, problems: tuple[str, ...]) -> None:
        super().__init__(url, problems)
        self.url = url
        self.problems = problems

    @property
    def reason(self) -> str:
        return "; ".join(self.problems)

    def __str__(self) -> str:
        return f"{self.reason} ({self.url})"


class CrawlFailed(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CrawlCancelled(Exception):
    pass
