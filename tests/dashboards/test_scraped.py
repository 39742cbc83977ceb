"""Rates, resets and quantiles from readings of /metrics."""

from __future__ import annotations

import math
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from dashboards.client.http_client import RequestFailed, Unreachable
from dashboards.metrics.exposition import Samples
from dashboards.metrics.history import RETENTION_S, History, Reading
from dashboards.metrics.scraped import ScrapedSource
from dashboards.metrics.source import Match, last_value

OK = (("endpoint", "/a"), ("status", "200"))
BAD = (("endpoint", "/a"), ("status", "500"))
OTHER = (("endpoint", "/b"), ("status", "200"))


def source(*readings: tuple[float, Samples]) -> ScrapedSource:
    return ScrapedSource(tuple(Reading(at, samples) for at, samples in readings))


def requests(*values: dict[tuple[tuple[str, str], ...], float]) -> ScrapedSource:
    return source(*((1_000.0 + 10 * index, {"r": value}) for index, value in enumerate(values)))


def test_a_rate_is_the_increase_over_the_time_between() -> None:
    frame = requests({OK: 100}, {OK: 150}, {OK: 150}).rate("r")
    assert math.isnan(frame["value"][0])
    assert frame["value"].tolist()[1:] == [5.0, 2.5]
    assert str(frame["time"].dt.tz) == "UTC"


def test_a_rate_only_looks_back_a_minute() -> None:
    readings = [
        (1_000.0 + 10 * index, {"r": {OK: float(value)}}) for index, value in enumerate([0] + [600] * 8)
    ]
    assert last_value(source(*readings).rate("r")) == 0


def test_across_a_gap_longer_than_the_window_nothing_is_said() -> None:
    assert last_value(source((1_000, {"r": {OK: 1}}), (1_100, {"r": {OK: 5}})).rate("r")) is None


def test_a_counter_that_fell_began_again_at_zero() -> None:
    assert last_value(requests({OK: 100}, {OK: 110}, {OK: 30}).rate("r")) == pytest.approx((10 + 30) / 20)


def test_a_counter_that_was_not_there_before_began_at_zero() -> None:
    assert last_value(requests({OK: 100}, {OK: 100, BAD: 40}).rate("r")) == 4.0


def test_a_counter_that_vanished_in_a_restart_and_came_back_counts_anew() -> None:
    assert last_value(requests({OK: 5, BAD: 40}, {OK: 5}, {OK: 5, BAD: 2}).rate("r")) == pytest.approx(0.1)


def test_rates_are_summed_by_label_and_filtered() -> None:
    figures = requests({OK: 0, BAD: 0, OTHER: 0}, {OK: 10, BAD: 20, OTHER: 30})
    by_endpoint = figures.rate("r", ("endpoint",)).dropna()
    assert dict(zip(by_endpoint["endpoint"], by_endpoint["value"], strict=True)) == {"/a": 3.0, "/b": 3.0}
    assert last_value(figures.rate("r", (), (Match("status", "5.."),))) == 2.0
    assert last_value(figures.rate("r", (), (Match("endpoint", "/a|/x", negated=True),))) == 3.0


def test_totals_are_those_of_the_newest_reading() -> None:
    figures = requests({OK: 100}, {OK: 7, BAD: 3})
    assert last_value(figures.total("r")) == 10
    assert figures.total("r", ("status",)).values.tolist() == [["200", 7.0], ["500", 3.0]]


def test_a_quantile_over_time_is_that_of_the_window_and_the_total_that_of_all() -> None:
    def buckets(low: float, every: float) -> Samples:
        return {"h_bucket": {(("le", "1.0"),): low, (("le", "2.0"),): every, (("le", "+Inf"),): every}}

    figures = source((1_000, buckets(1_000, 1_000)), (1_010, buckets(1_000, 1_010)))
    assert last_value(figures.quantile(0.5, "h")) == pytest.approx(1.5)
    assert last_value(figures.total_quantile(0.5, "h")) == pytest.approx(0.505)


def test_what_was_never_measured_is_empty_and_keeps_its_columns() -> None:
    figures = requests({OK: 1})
    for frame in (figures.rate("x", ("status",)), figures.quantile(0.5, "x", ("status",))):
        assert frame.columns.tolist() == ["time", "status", "value"]
        assert last_value(frame) is None
    for frame in (figures.total("x", ("status",)), figures.level("x", ("status",))):
        assert frame.columns.tolist() == ["status", "value"]
        assert last_value(frame) is None


def test_a_level_is_the_newest() -> None:
    figures = source((1_000, {"g": {(): 5}}), (1_010, {"g": {(): 7}}))
    assert last_value(figures.level("g")) == 7
    assert figures.levels("g")["value"].tolist() == [5, 7]


def test_what_each_replica_tells_of_itself_is_summed_where_that_is_asked() -> None:
    one, two = (("pid", "1"),), (("pid", "2"),)
    figures = source((1_000, {"g": {one: 5, two: 2}}))
    assert figures.levels("g")["value"].tolist() == [5]
    assert figures.levels("g", summed=True)["value"].tolist() == [7]


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_history_reads_no_faster_than_its_pace_and_forgets_what_is_old() -> None:
    clock, read = Clock(), iter(range(10))
    history = History(lambda: {"r": {OK: float(next(read))}}, interval_s=1, clock=clock)
    assert len(history.readings()) == 1
    clock.now += 0.5
    assert len(history.readings()) == 1
    clock.now += 1
    assert [reading.samples["r"][OK] for reading in history.readings()] == [0, 1]
    clock.now += RETENTION_S + 1
    assert [reading.samples["r"][OK] for reading in history.readings()] == [2]


def test_the_history_begins_again_when_the_clock_is_set_back() -> None:
    clock = Clock()
    history = History(lambda: {"r": {OK: 1.0}}, clock=clock)
    history.readings()
    clock.now -= 3_600
    assert [reading.at for reading in history.readings()] == [clock.now]


def test_a_reading_that_fails_is_told_and_leaves_the_history_as_it_was() -> None:
    clock, failing = Clock(), False

    def read() -> Samples:
        if failing:
            raise Unreachable("não responde")
        return {"r": {OK: 1.0}}

    history = History(read, clock=clock)
    history.readings()
    failing = True
    clock.now += 5
    with pytest.raises(RequestFailed):
        history.readings()
    failing = False
    clock.now += 1
    assert len(history.readings()) == 2


class Hanging:
    """An API that answers only once it is `let_go`; what it says is the number of the try, or a failure."""

    def __init__(self) -> None:
        self.failing = False
        self.tries = 0
        self.asked, self.let_go = threading.Event(), threading.Event()

    def __call__(self) -> Samples:
        self.tries += 1
        self.asked.set()
        assert self.let_go.wait(10)
        if self.failing:
            raise Unreachable("não responde")
        return {"r": {OK: float(self.tries)}}


def viewers(history: History, number: int) -> list[Future[tuple[Reading, ...]]]:
    with ThreadPoolExecutor(number) as pool:
        return [pool.submit(history.readings) for _ in range(number)]


def test_viewers_of_a_hanging_api_wait_for_the_same_reading_and_share_its_failure() -> None:
    api = Hanging()
    api.failing = True
    history = History(api, clock=Clock())
    threading.Timer(0.3, api.let_go.set).start()
    for viewer in viewers(history, 4):
        with pytest.raises(Unreachable):
            viewer.result()
    assert api.tries == 1


def test_while_one_viewer_reads_the_others_see_what_was_known() -> None:
    api, clock = Hanging(), Clock()
    history = History(api, clock=clock)
    api.let_go.set()
    history.readings()
    clock.now += 5
    api.let_go.clear()
    api.asked.clear()
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(history.readings)
        assert api.asked.wait(10)
        try:
            with ThreadPoolExecutor(1) as other:
                assert len(other.submit(history.readings).result(timeout=5)) == 1
        finally:
            api.let_go.set()
        assert len(reader.result()) == 2


def test_a_failure_is_remembered_as_long_as_a_reading_is() -> None:
    api, clock = Hanging(), Clock()
    api.failing = True
    api.let_go.set()
    history = History(api, interval_s=1, clock=clock)
    for _ in range(3):
        with pytest.raises(Unreachable):
            history.readings()
    assert api.tries == 1
    clock.now += 1
    api.failing = False
    assert len(history.readings()) == 1
