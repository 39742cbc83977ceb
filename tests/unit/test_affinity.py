from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from app.affinity import OneCore, run_on_any_core


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
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 1
    assert seen[0] <= before
    assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux binds threads to cores")
def test_a_thread_started_by_a_request_can_leave_its_core() -> None:
    seen: list[set[int]] = []

    def leave() -> None:
        run_on_any_core()
        seen.append(os.sched_getaffinity(0))

    def application(_environ: Any, _start_response: Any) -> list[bytes]:
        started = threading.Thread(target=leave)
        started.start()
        started.join(10)
        return []

    bound = OneCore(application)
    request = threading.Thread(target=lambda: bound({}, None))  # type: ignore[arg-type]
    request.start()
    request.join(10)
    assert seen == [os.sched_getaffinity(0)]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux binds threads to cores")
def test_a_sandbox_that_forbids_it_costs_no_request_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbid)
    bound = OneCore(lambda _environ, _start_response: [b"body"])
    assert bound({}, None) == [b"body"]  # type: ignore[arg-type]


def test_where_threads_cannot_be_bound_they_serve_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    bound = OneCore(lambda _environ, _start_response: [b"body"])
    assert bound({}, None) == [b"body"]  # type: ignore[arg-type]
