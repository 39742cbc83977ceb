"""Let three replicas follow a schedule for a while, and compare what ran with what was due.

    .venv/bin/python -m benchmarks.schedule [--days 1000] [--seed 1]

The replicas are processes on a PostgreSQL server of their own. Their clock is simulated: it passes the changes
between summer and winter time of three zones, and now and then jumps by days ahead and back, or by years. Every day
one of them is killed (SIGKILL), mostly just when a run is due or works. Exits with 1 where a due run did not happen
exactly once, or where the delays are not uniform (Kolmogorov-Smirnov, p <= 0.01). 1,000 days take some minutes.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.support.postgresql import run_postgresql
from tests.support.schedule_days import REPLICAS, open_days

UNEVEN_BELOW = 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, shop = Path(folder, "postgresql"), Path(folder, "shop")
        for path in (server, shop):
            path.mkdir()
        began = time.monotonic()
        with run_postgresql(server) as url, open_days(f"{url}/postgres", shop, options.seed) as days:
            report = days.run(options.days)
    problems = report.problems()
    sys.stdout.write(
        f"{options.days} days of {REPLICAS} replicas in {time.monotonic() - began:.0f} s: "
        f"{len(report.expected)} due runs, {len(report.done)} happened, {report.runs} were begun\n"
        f"{report.kills} kills, {report.interrupted} of them of a run in progress, which was begun again\n"
        f"the clock jumped ahead {report.jumps_ahead} times and back {report.jumps_back} times; "
        f"{report.clock_changes} runs were due within a day of a change of the local time\n"
        f"delays: {len(report.delays)}, uniform with p = {report.p_value:.3f}\n"
        f"{len(problems)} problems\n"
    )
    for problem in problems[:20]:
        sys.stdout.write(f"- {problem}\n")
    return int(bool(problems) or report.p_value <= UNEVEN_BELOW)


if __name__ == "__main__":
    sys.exit(main())
