"""Measure the growth of `/metrics` under a scanner: half of 100,000 requests go to different unknown URLs.

    .venv/bin/python benchmarks/series.py --requests 100000

Starts `python run.py` on a scratch data directory, sends half of the requests to unknown URLs and half to 1,000
books, over eight connections, and prints the number of series and the size of the response.
"""

import argparse
import http.client
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.server import Server

CONNECTIONS = 8


def send(port: int, first: int, requests: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(first, requests, CONNECTIONS):
        half = number // 2
        connection.request("GET", f"/unknown/{half}" if number % 2 else f"/api/v1/books/{half % 1_000}")
        connection.getresponse().read()
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "data") as server:
        started = time.perf_counter()
        senders = [
            threading.Thread(target=send, args=(server.port, first, requests)) for first in range(CONNECTIONS)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        seconds = time.perf_counter() - started
        text = server.get("/metrics").text
        series = sum(not line.startswith("#") for line in text.splitlines())
        sys.stdout.write(
            f"{requests} requests in {seconds:.0f} s: {series} series, {len(text.encode())} bytes\n"
        )


if __name__ == "__main__":
    main()
