"""Where the interpreter's time goes on the three hottest paths, sampled by py-spy."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.comparison import Options, start_orders
from benchmarks.datasets import make_books, open_shop, publish
from benchmarks.load import Wrk
from benchmarks.peer_servers import BOOKS, LIST, ONE, PROGRAMS
from benchmarks.programs import ShopServer

FUNCTIONS = 12
_PY_SPY = [str(PROGRAMS / "py-spy"), "record", "--gil", "--subprocesses", "--function", "--format", "raw"]


def measure_profiles(options: Options, folder: Path) -> dict[str, str]:
    """Return a folded profile of each path: lines of frames and a count; empty where py-spy may not read processes."""
    with open_shop(folder / "data") as shop:
        publish(shop, make_books(BOOKS))
    with ShopServer(folder / "data") as server:
        seconds = options.seconds + 3
        loads: dict[str, Callable[[], Wrk]] = {
            "GET one book": lambda: Wrk(f"{server.url}{ONE}", seconds),
            "GET the whole list": lambda: Wrk(f"{server.url}{LIST}", seconds),
            "POST /orders": lambda: start_orders(server.url, seconds),
        }
        profiles = {}
        for path, start in loads.items():
            load = start()
            try:
                profiles[path] = _record(server, options.seconds, folder / "profile.txt")
            except subprocess.CalledProcessError as error:
                sys.stderr.write(f"no profile of {path}: {error.stderr.strip()}\n")
            load.wait()
    return profiles


def _record(server: ShopServer, seconds: int, output: Path) -> str:
    assert server.process is not None
    command = [*_PY_SPY, "--rate", "500", "--duration", str(seconds), "--pid", str(server.process.pid)]
    subprocess.run(
        [*command, "--output", str(output)], check=True, capture_output=True, text=True, timeout=seconds + 60
    )
    return output.read_text()


def hottest(folded: str, functions: int = FUNCTIONS) -> list[tuple[str, float, float]]:
    """Return the functions with the most samples of their own: name, own share, share with all that they call."""
    own: Counter[str] = Counter()
    together: Counter[str] = Counter()
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [frame for frame in stack.split(";") if not frame.startswith("process ")]
        if frames:
            own[frames[-1]] += int(count)
            together.update(dict.fromkeys(frames, int(count)))
    total = own.total() or 1
    return [(name, count / total, together[name] / total) for name, count in own.most_common(functions)]
