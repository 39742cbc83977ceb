"""A crawl in a process of its own, so that the caller's threads need not share their interpreter with it.

The child, `python -m scraper.child_process`, reads one request from standard input and writes its events to standard
output, a line of JSON each. It imports the crawler, which the caller need not.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Generator, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Final

from operating_system import APART, CHILD_VARIABLES, lower_priority
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
_MAX_CHUNKS: Final = 16
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
            **APART,  # a Ctrl-C is meant for the caller
        )
        with child:
            chunks: queue.Queue[bytes] = queue.Queue(_MAX_CHUNKS)
            reader = threading.Thread(target=_read, args=(child.stdout, chunks), name="scrape-reader")
            reader.start()
            try:
                for line in _lines(chunks, cancelled or threading.Event()):
                    yield decode_event(line)
                code = child.wait(SILENCE_S)
            finally:
                child.kill()
                while reader.is_alive():  # it may wait for room
                    with suppress(queue.Empty):
                        chunks.get(timeout=TICK_S)
        if code != 0:
            raise RuntimeError(f"exit code {code}: {_last_words(error_file)}")


def _environment() -> dict[str, str]:
    """Return the variables for proxies and certificates, and none of the caller's secrets."""
    wanted = {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name in (*_CERTIFICATES, *CHILD_VARIABLES)
    }
    return {"PATH": os.defpath, "PYTHONUTF8": "1", **wanted}


def _read(pipe: IO[bytes], chunks: queue.Queue[bytes]) -> None:
    """Read to the end of the pipe, which ends with an empty chunk; Windows can wait for a pipe in no other way."""
    chunk = b"?"
    while chunk:
        chunk = os.read(pipe.fileno(), _CHUNK_BYTES)
        chunks.put(chunk)


def _lines(chunks: queue.Queue[bytes], cancelled: threading.Event) -> Iterator[bytes]:
    """Yield lines up to an empty chunk. Raises CrawlCancelled, or CrawlFailed after SILENCE_S without any."""
    begun, heard_at = b"", time.monotonic()
    while True:
        if cancelled.is_set():
            raise CrawlCancelled
        try:
            chunk = chunks.get(timeout=TICK_S)
        except queue.Empty:
            if time.monotonic() - heard_at > SILENCE_S:
                raise CrawlFailed(f"o leitor de páginas não deu sinal em {SILENCE_S:g} s") from None
            continue
        if not chunk:
            return
        heard_at = time.monotonic()
        *lines, begun = (begun + chunk).split(b"\n")
        yield from lines


def _last_words(error_file: IO[bytes]) -> str:
    size = error_file.seek(0, os.SEEK_END)
    error_file.seek(max(0, size - _MAX_ERROR_BYTES))
    return error_file.read().decode(errors="replace").strip()


def main() -> int:
    """Crawl as standard input asks, at a low priority."""
    lower_priority(NICENESS)  # before the imports, which take a tenth of a second
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
    except OSError:  # the caller has ended; a heartbeat notices it within half a second
        os._exit(1)  # at once, whatever the crawl's threads may be waiting for


if __name__ == "__main__":
    sys.exit(main())
