"""Serve the demonstration shop until Ctrl-C: `python -m demo.site --port 8898`."""

import argparse
import sys
import threading

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.movement import Calendar
from demo.site.server import DemoSite


def main(arguments: list[str] | None = None) -> int:
    defaults = Faults()
    parser = argparse.ArgumentParser(
        prog="python -m demo.site", description="Serves a shop of made-up books, to look at and to scrape."
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s, this machine only")
    parser.add_argument("--port", type=int, default=8898, help="default: %(default)s; 0 picks a free one")
    parser.add_argument("--books", type=int, default=1000, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--moving-rate", type=float, default=0.0, metavar="P",
        help="the share of the books with another price from crawl to crawl; as many have another stock",
    )  # fmt: skip
    parser.add_argument("--robots-txt", metavar="TEXT", help="what /robots.txt says; without it, 404")
    parser.add_argument("--latency-s", type=float, default=0.0, metavar="S", help="wait before every answer")
    for name in ("error", "drop", "truncate", "malformed"):
        parser.add_argument(f"--{name}-rate", type=float, default=0.0, metavar="P", help="from 0 to 1")
    parser.add_argument("--error-status", type=int, default=defaults.error_status, metavar="CODE")
    parser.add_argument("--retry-after-s", type=int, metavar="S", help="sent with the errors")
    parser.add_argument("--seed", type=int, default=defaults.seed, metavar="N", help="of the faults")
    options = vars(parser.parse_args(arguments))
    host, port, count, robots_txt, rate = (
        options.pop(name) for name in ("host", "port", "books", "robots_txt", "moving_rate")
    )
    books = make_books(count)
    calendar = Calendar(books, rate) if rate else None
    with DemoSite(books, Faults(**options), host, port, robots_txt, calendar) as site:
        sys.stderr.write(f"{count} books on {site.base_url} (Ctrl-C ends it)\n")
        sys.stderr.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
