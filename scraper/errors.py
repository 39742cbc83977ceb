"""Why a page, or the whole crawl, could not be read; the reasons are shown to users, hence in Portuguese.

FetchFailed             the page never arrived
    PageRefused         the shop answered with a status that trying again will not change
    BodyTooLarge        it is longer than any page of a shop
    OffSite             it lies on another host, port or scheme than the base URL
    DisallowedByRobots  robots.txt asks not to read it
MalformedPage           it arrived, but is not the page it should be
CrawlFailed             the list of books itself could not be read to its end
CrawlCancelled          whoever started the crawl does not want it any more
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
