"""Send visitors to the shop: `python -m demo.traffic --url http://localhost:5000 --rate 20 --seconds 60`.

Readers, buyers, clerks, and people who make mistakes (demo/traffic/actors.py) send `rate` requests a second, even if
the shop does not keep up: while every thread waits for a response, requests are not sent but counted as missed.
A line every 5 seconds shows the progress; a table and the unexpected responses follow at the end, or on Ctrl-C.
The exit code is 1 if the shop never responded, and else 0.
"""

import argparse
import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from random import Random

from demo.traffic.load_generator import LoadGenerator, LoadOptions, ShopClosed
from demo.traffic.memory import Memory
from demo.traffic.schedule import ACTORS, SCRAPER


def _number(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return number


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo.traffic", description="Visits the shop like many people at once."
    )
    add = parser.add_argument
    add("--url", default="http://localhost:5000", help="default: %(default)s")
    add("--rate", type=_number(0.1, 5_000), default=20, metavar="N", help="requests a second (%(default)s)")
    add("--seconds", type=_number(0.1, math.inf), default=60, metavar="S", help="%(default)s; inf: no end")
    add("--threads", type=int, choices=range(1, 257), default=32, metavar="N",
        help="requests at once (%(default)s)")  # fmt: skip
    add("--seed", type=int, metavar="N", help="the same visitors in the same order again")
    add("--api-key", default=os.environ.get("API_KEY_REQUIRED") or "minha_chave_secreta_empresa", metavar="KEY",
        help="of the orders; if not said, API_KEY_REQUIRED or the sample")  # fmt: skip
    add("--password", default=os.environ.get("ADMIN_PASSWORD") or "1234",
        help="of the user admin; if not said, ADMIN_PASSWORD or the sample")  # fmt: skip
    add("--scrape", action="store_true", help="have the catalogue scraped at once")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    memory = Memory(options.api_key, "admin", options.password)
    load = LoadOptions(options.rate, options.seconds, options.threads)
    generator = LoadGenerator(options.url, memory, load)
    began = time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            generator.open()
        except ShopClosed as error:
            sys.stderr.write(f"{error}\n")
            return 1
        if options.scrape:
            generator.visit(SCRAPER, SCRAPER, rng=Random())  # logs in, then triggers a scrape
        began = time.monotonic()
        generator.run((*ACTORS, SCRAPER) if options.scrape else ACTORS, options.seed)
    sys.stdout.write(f"{generator.tally.line(time.monotonic() - began)}\n{generator.tally.report()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
