"""Count the functions, files and layer crossings of four requests, by tracing the calls of the running application.

Each line names the calls, the distinct functions, their files by layer, the calls from one layer into another, and
those that lead upwards. `--list` prints the functions of each walk in the order of their first call.
"""

import collections
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = f"{Path(__file__).parents[1]}/"
sys.path.insert(0, ROOT)
PACKAGES = ("app/", "scraper/", "ml/")
LAYERS = ["blueprints", "web", "simulation", "services", "storage", "core"]

from app.factory import create_app
from app.settings import read_settings
from app.start import prepare

Place = tuple[str, str]
"""A file and a function in it."""


class Tracer:
    """Records the calls into PACKAGES, of all threads, between `start` and `stop`."""

    def __init__(self) -> None:
        self._calls: list[tuple[Place, Place | None]] | None = None
        sys.setprofile(self._profile)
        threading.setprofile(self._profile)

    def start(self) -> None:
        self._calls = []

    def stop(self) -> list[tuple[Place, Place | None]]:
        calls, self._calls = self._calls or [], None
        return calls

    def _profile(self, frame: FrameType, event: str, _argument: Any) -> None:
        if self._calls is None or event != "call" or not frame.f_code.co_filename.startswith(ROOT):
            return
        path, name = frame.f_code.co_filename[len(ROOT) :], frame.f_code.co_name
        if not path.startswith(PACKAGES) or name.startswith("<"):
            return
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(ROOT):
            caller = caller.f_back
        origin = (caller.f_code.co_filename[len(ROOT) :], caller.f_code.co_name) if caller else None
        self._calls.append(((path, name), origin))


def layer(path: str) -> str:
    parts = path.split("/")
    return parts[0] if parts[0] != "app" else (parts[1] if len(parts) > 2 else "app")


def leads_upwards(caller: Place, callee: Place) -> bool:
    above, below = layer(caller[0]), layer(callee[0])
    # A view is called by the declaration that wraps it.
    return (
        above in LAYERS
        and below in LAYERS
        and LAYERS.index(below) < LAYERS.index(above) != LAYERS.index("web")
    )


def walk(title: str, tracer: Tracer, request: Callable[[], object]) -> None:
    tracer.start()
    request()
    calls = tracer.stop()
    functions = list(dict.fromkeys(place for place, _ in calls))
    crossings = sum(1 for place, caller in calls if caller and layer(caller[0]) != layer(place[0]))
    upwards = sorted(
        {(caller[0], place[0]) for place, caller in calls if caller and leads_upwards(caller, place)}
    )
    files = collections.Counter(layer(path) for path in {path for path, _ in functions})
    sys.stdout.write(
        f"{title}: {len(calls)} calls, {len(functions)} functions, {sum(files.values())} files {dict(files)}, "
        f"{crossings} crossings, upwards {upwards}\n"
    )
    if "--list" in sys.argv:
        sys.stdout.writelines(f"    {path} {name}\n" for path, name in functions)


def main() -> None:
    tracer = Tracer()
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(
            read_settings({}),
            data_dir=Path(folder),
            jwt_secret_key="x" * 40,
            password_hash_memory_kib=8,
            password_hash_rounds=1,
            ml_auto_train=False,
        )
        app = create_app(settings)
        prepare(app)
        client = app.test_client()
        keys = iter(range(1_000))

        def order() -> None:
            response = client.post(
                "/orders",
                json={
                    "customer_id": "c",
                    "items": [{"product_id": 0, "quantity": 1}],
                    "payment": {"token": "tok_approved"},
                },
                headers={"X-API-Key": settings.api_key, "Idempotency-Key": f"k{next(keys)}"},
            )
            assert response.status_code == 201, response.get_json()

        book = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}
        order()
        tag = client.get("/api/v1/books").headers["ETag"]
        client.post("/api/v1/ml/predictions", json=[book])
        walk("POST /orders", tracer, order)
        walk("GET /api/v1/books", tracer, lambda: client.get("/api/v1/books"))
        tag = client.get("/api/v1/books").headers["ETag"]
        walk("304", tracer, lambda: client.get("/api/v1/books", headers={"If-None-Match": tag}))
        walk(
            "POST /api/v1/ml/predictions",
            tracer,
            lambda: client.post("/api/v1/ml/predictions", json=[book]),
        )
        app.extensions["shop"].stop()


if __name__ == "__main__":
    main()
