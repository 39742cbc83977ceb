"""What wrk's run of benchmarks/load.lua prints becomes rates and percentiles."""

from __future__ import annotations

import math

import pytest

from benchmarks.load import Load, LoadFailed, read_output

BANNER = (
    "Running 2s test @ http://127.0.0.1:5000/\n  1 threads and 16 connections\nRequests/sec:  9999.99\n\n"
)


def totals(requests: int = 3_000, refused: int = 0, broken: int = 0) -> str:
    return (
        f'{BANNER}{{"duration_us":2000000,"requests":{requests},"p50_us":1500,"p99_us":20250,'
        f'"refused":{refused},"broken":{broken}}}\n'
    )


def test_a_run_gives_responses_a_second_and_milliseconds() -> None:
    assert read_output(totals()) == Load(rate=1_500.0, p50_ms=1.5, p99_ms=20.25)


def test_a_run_without_a_response_has_no_rate_and_no_end_of_its_latency() -> None:
    assert read_output(totals(requests=0)) == Load(0.0, math.inf, math.inf)


@pytest.mark.parametrize("output", [totals(refused=1), totals(broken=1)])
def test_a_run_with_a_refused_or_a_broken_request_fails(output: str) -> None:
    with pytest.raises(LoadFailed, match=r"responses, . of them errors; . broken"):
        read_output(output)


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:5000 Connection refused\n"])
def test_a_run_that_ended_without_totals_fails(output: str) -> None:
    with pytest.raises(LoadFailed, match="without a result"):
        read_output(output)
