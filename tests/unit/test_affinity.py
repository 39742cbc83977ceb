from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from app.affinity import OneCore


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux binds threads to cores")
def test_every_thread_that_serves_is_bound_to_the_same_core_and_no_other_thread_is() -> None:
    seen: list[set[int]] = []

    def application(_environ: Any, _start_response: Any) -> list[bytes]:
        seen.append(os.sched_getaffinity(0))
        return [b"body"]

    before = os.sched_getaffinity(0)
    bound = OneCore(application)
    threads = [threading.Thread(target=lambda: bound({}, None)) for _ in range(3)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == [{max(before)}] * 3
    assert os.sched_getaffinity(0) == before


def test_where_threads_cannot_be_bound_they_serve_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    bound = OneCore(lambda _environ, _start_response: [b"body"])
    assert bound({}, None) == [b"body"]  # type: ignore[arg-type]
