"""Fetching of pages, with robots.txt, retries and deadlines: see Fetcher."""

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urldefrag, urljoin

import requests
from requests.exceptions import ChunkedEncodingError
from urllib3.exceptions import HTTPError

from scraper import __version__
from scraper.address import authorization, origin_of, without_credentials
from scraper.deadline_watchdog import DeadlineWatchdog, WatchedAdapter
from scraper.errors import BodyTooLarge, CrawlCancelled, DisallowedByRobots, FetchFailed, OffSite, PageRefused
from scraper.options import DEFAULT_OPTIONS, CrawlOptions
from scraper.robots import RobotsRules
from scraper.throttle import Throttle, backoff_s, retry_after_s

AGENT = "livraria-scraper"
USER_AGENT = f"{AGENT}/{__version__} (python-requests/{requests.__version__})"
HEADERS = {"User-Agent": USER_AGENT, "Accept": "text/html", "Accept-Encoding": "gzip"}
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LENGTH_HEADERS = ("Content-Length", "Transfer-Encoding")
CHUNK_BYTES = 64 * 1024


class FetchedPage(NamedTuple):
    """A page and the URL that it came from after all redirects, where its relative links start."""

    url: str
    body: bytes


class _Response(NamedTuple):
    status: int
    location: str | None
    retry_after: str | None
    body: bytes


class _Retryable(Exception):
    """A failure that may pass, with its reason in Portuguese."""


class Fetcher:
    """Fetch pages of one site; any number of threads may call `get` at once.

    Obeys robots.txt (RFC 9309) before the first page, follows redirects only within the site, and retries
    after transient failures: 429, 5xx, timeouts, connections and bodies cut short. A user and a password in the
    base URL are sent with every request, and so to that site alone; `base_url` is without them.
    `_lock` protects the counters, `_robots_lock` the rules, its own pool the adapter's connections.
    """

    def __init__(
        self,
        base_url: str,
        options: CrawlOptions = DEFAULT_OPTIONS,
        cancelled: threading.Event | None = None,
    ) -> None:
        """Raises ValueError if `base_url` is not an absolute http(s) URL."""
        self._origin = origin_of(base_url)
        if self._origin is None:
            raise ValueError("not an absolute http(s) URL")  # without it: it may contain a password
        self.base_url = without_credentials(base_url)
        authorized = authorization(base_url)
        self._headers = HEADERS | ({"Authorization": authorized} if authorized else {})
        self._options = options
        self._stopped = threading.Event()
        self._throttle = Throttle(self._stopped)
        self._lock = threading.Lock()
        self._requests = 0
        self._retries = 0
        self._robots_lock = threading.Lock()
        self._robots: RobotsRules | None = None
        self._adapter = WatchedAdapter(pool_connections=1, pool_maxsize=options.concurrency)
        # The session serves only to read the operator's proxies and CA bundle (HTTPS_PROXY, REQUESTS_CA_BUNDLE).
        # Its cookies and .netrc are unwanted, it is not promised to be thread-safe, and it reads a redirect's
        # body without limit.
        with requests.Session() as session:
            environment = session.merge_environment_settings(self.base_url, {}, True, None, None)
        self._verify: bool | str = environment["verify"] or True
        self._proxies: Mapping[str, str] = environment["proxies"]
        self._watchdog = DeadlineWatchdog(cancelled or threading.Event(), self._stopped)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stop(self) -> None:
        """Make every `get`, present and future, raise CrawlCancelled soon."""
        self._stopped.set()

    def close(self) -> None:
        """Stop, and release the connections."""
        self.stop()
        self._watchdog.close()
        self._adapter.close()

    @property
    def requests_sent(self) -> int:
        with self._lock:
            return self._requests

    @property
    def retries(self) -> int:
        with self._lock:
            return self._retries

    def get(self, url: str) -> FetchedPage:
        """Fetch the page at `url` and decode its body from gzip. Raises FetchFailed or CrawlCancelled."""
        return self._follow(url, self._robots_rules())

    def _robots_rules(self) -> RobotsRules:
        with self._robots_lock:
            if self._robots is None:
                self._robots = self._read_robots()
                self._throttle.set_interval(self._robots.crawl_delay_s)
            return self._robots

    def _read_robots(self) -> RobotsRules:
        """Fetch the rules by RFC 9309, 2.3.1: a 4xx means none; a server error forbids every page."""
        try:
            page = self._follow(f"{self._origin}/robots.txt", RobotsRules())
        except PageRefused:
            return RobotsRules()
        return RobotsRules(page.body, AGENT)

    def _follow(self, url: str, rules: RobotsRules) -> FetchedPage:
        target = urldefrag(url).url
        for _ in range(MAX_REDIRECTS + 1):
            if origin_of(target) != self._origin:
                raise OffSite(target, "fora do site")
            if not rules.allows(target):
                raise DisallowedByRobots(target, "proibida por robots.txt")
            response = self._get_with_retries(target)
            if response.location is None:
                return FetchedPage(target, response.body)
            target = _resolve(target, response.location)
        raise FetchFailed(url, "redirecionamentos demais")

    def _get_with_retries(self, url: str) -> _Response:
        for attempt in range(1, self._options.max_attempts + 1):
            self._throttle.wait_turn()
            try:
                return self._attempt(url)
            except _Retryable as failure:
                reason = str(failure)
            if attempt < self._options.max_attempts:
                with self._lock:
                    self._retries += 1
                self._throttle.sleep(
                    backoff_s(attempt, self._options.backoff_base_s, self._options.backoff_cap_s)
                )
        raise FetchFailed(url, f"{reason} ({self._options.max_attempts} tentativas)")

    def _attempt(self, url: str) -> _Response:
        with self._lock:
            self._requests += 1
        with self._watchdog.attempt(self._options.attempt_deadline_s) as attempt:
            failure: Exception | None = None
            try:
                response = self._send(url)
            except (requests.RequestException, HTTPError) as error:
                failure = error
        # Without an announced length, a cut socket looks like the end of the body.
        if self._stopped.is_set():
            raise CrawlCancelled
        if attempt.timed_out:
            raise _Retryable(f"resposta não terminou em {self._options.attempt_deadline_s:g} s")
        if failure is not None:
            if "CERTIFICATE_VERIFY_FAILED" in str(failure):
                raise FetchFailed(url, "certificado TLS inválido") from failure
            raise _Retryable(_describe(failure)) from failure
        return self._check_status(url, response)

    def _send(self, url: str) -> _Response:
        request = requests.Request("GET", url, headers=self._headers).prepare()
        with self._adapter.send(
            request,
            stream=True,
            timeout=(self._options.connect_timeout_s, self._options.read_timeout_s),
            verify=self._verify,
            proxies=self._proxies,
        ) as response:
            body = self._read_body(url, response) if response.status_code == 200 else b""
            headers = response.headers
            return _Response(response.status_code, headers.get("Location"), headers.get("Retry-After"), body)

    def _read_body(self, url: str, response: requests.Response) -> bytes:
        limit = self._options.max_body_bytes
        body = bytearray()
        for chunk in response.iter_content(CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                raise BodyTooLarge(url, f"página maior que {limit} bytes")
        if not body and not any(name in response.headers for name in LENGTH_HEADERS):
            raise ChunkedEncodingError  # truncated in its head, which http.client takes for a complete one
        return bytes(body)

    def _check_status(self, url: str, response: _Response) -> _Response:
        if response.status == 200:
            return response._replace(location=None)
        if response.status in REDIRECTS and response.location:
            return response
        if response.status == 429 or response.status >= 500:
            self._throttle.pause(min(retry_after_s(response.retry_after), self._options.max_retry_after_s))
            raise _Retryable(f"HTTP {response.status}")
        raise PageRefused(url, response.status)


def _resolve(url: str, location: str) -> str:
    try:
        return without_credentials(urldefrag(urljoin(url, location)).url)
    except ValueError as error:
        raise FetchFailed(url, f"redirecionamento ilegível: {location[:60]!r}") from error


def _describe(error: Exception) -> str:
    """Say why an attempt failed, in Portuguese."""
    match error:
        case requests.ConnectTimeout():
            return "tempo esgotado ao conectar"
        case requests.ReadTimeout():
            return "tempo esgotado à espera da resposta"
        case ChunkedEncodingError():
            return "resposta cortada"
        case requests.exceptions.ContentDecodingError():
            return "resposta com compressão inválida"
        case requests.exceptions.SSLError():
            return "falha de TLS"
    return (
        "tempo esgotado à espera da resposta" if "Read timed out" in str(error) else "sem conexão com o site"
    )
