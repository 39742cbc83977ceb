"""A crawl in a process of its own, so that the caller's threads need not share their interpreter with it.

The child, `python -m scraper.child_process`, reads one request from standard input and writes its events to standard
output, a line of JSON each. It imports the crawler, which the caller need not.
"""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Final

from scraper.errors import CrawlCancelled, CrawlFailed
from scraper.events import CrawlEvent, decode_event, encode_event
from scraper.options import DEFAULT_OPTIONS, CrawlOptions

TICK_S: Final = 0.1
"""How soon a cancellation is seen."""
SILENCE_S: Final = 20.0
"""The longest wait for the child's next event: it sends a heartbeat twice a second."""
NICENESS: Final = 10
_COMMAND: Final = (sys.executable, "-m", "scraper.child_process")
_PROJECT: Final = Path(__file__).parents[1]
_CERTIFICATES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_CHUNK_BYTES: Final = 64 * 1024
_MAX_ERROR_BYTES: Final = 4_000


def crawl_in_child(
    base_url: str,
    options: CrawlOptions = DEFAULT_OPTIONS,
    *,
    already_read: Collection[str] = frozenset(),
    cancelled: threading.Event | None = None,
) -> Generator[CrawlEvent, None, None]:
    """Crawl as `scraper.crawl.crawl` does; close the generator to stop early, which kills the child.

    Raises CrawlFailed and CrawlCancelled as that does, and RuntimeError with the child's last words where it crashed.
    """
    request = {"base_url": base_url, "options": asdict(options), "already_read": list(already_read)}
    # Files, not pipes: neither side waits for the other to read them.
    with tempfile.TemporaryFile() as request_file, tempfile.TemporaryFile() as error_file:
        request_file.write(json.dumps(request).encode())
        request_file.seek(0)
        child = subprocess.Popen(  # noqa: S603 - our own program
            _COMMAND,
            cwd=_PROJECT,
            env=_environment(),
            stdin=request_file,
            stdout=subprocess.PIPE,
            stderr=error_file,
            start_new_session=True,  # a Ctrl-C is meant for the caller
        )
        with child:
            try:
                assert child.stdout is not None  # noqa: S101 - for the type checker
                for line in _read_lines(child.stdout, cancelled or threading.Event()):
                    yield decode_event(line)
                code = child.wait(SILENCE_S)
            finally:
                child.kill()
        if code != 0:
            raise RuntimeError(f"exit code {code}: {_last_words(error_file)}")


def _environment() -> dict[str, str]:
    """Return the variables for proxies and certificates, and none of the caller's secrets."""
    wanted = {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name in _CERTIFICATES
    }
    return {"PATH": os.defpath, "PYTHONUTF8": "1", **wanted}


def _read_lines(pipe: IO[bytes], cancelled: threading.Event) -> Iterator[bytes]:
    """Read lines to the end of the pipe. Raises CrawlCancelled, or CrawlFailed after SILENCE_S without any."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        begun, heard_at = b"", time.monotonic()
        while True:
            if cancelled.is_set():
                raise CrawlCancelled
            if selector.select(TICK_S):
                heard_at = time.monotonic()
                chunk = os.read(pipe.fileno(), _CHUNK_BYTES)
                if not chunk:
                    return
                *lines, begun = (begun + chunk).split(b"\n")
                yield from lines
            elif time.monotonic() - heard_at > SILENCE_S:
                raise CrawlFailed(f"o leitor de páginas não deu sinal em {SILENCE_S:g} s")


def _last_words(error_file: IO[bytes]) -> str:
    size = error_file.seek(0, os.SEEK_END)
    error_file.seek(max(0, size - _MAX_ERROR_BYTES))
    return error_file.read().decode(errors="replace").strip()


def main() -> int:
    """Crawl as standard input asks, at a low priority."""
    os.nice(NICENESS)  # before the imports, which take a tenth of a second
    from scraper.crawl import crawl

    request = json.load(sys.stdin)
    options = CrawlOptions(**request["options"])
    already_read = frozenset(request["already_read"])
    try:
        for event in crawl(request["base_url"], options, already_read=already_read):
            _send(event)
    except CrawlFailed as error:
        _send(error)
    return 0


def _send(event: CrawlEvent | CrawlFailed) -> None:
    try:
        sys.stdout.buffer.write(encode_event(event))
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the caller has ended; a heartbeat notices it within half a second
        os._exit(1)  # at once, whatever the crawl's threads may be waiting for


if __name__ == "__main__":
    sys.exit(main())
