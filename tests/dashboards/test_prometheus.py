"""The source that asks Prometheus: its questions, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import promql_parser
import pytest

from dashboards.client.http_client import HttpClient, MalformedResponse
from dashboards.metrics.prometheus import PrometheusSource
from dashboards.metrics.source import Match, last_value
from tests.support.dashboards.fake_api import FakeApi


def source(fake: FakeApi) -> PrometheusSource:
    return PrometheusSource(
        HttpClient("O Prometheus", fake.url), 3_600, "na última hora", clock=lambda: 1_800_000_000.0
    )


def answer(fake: FakeApi, path: str, *series: object) -> None:
    fake.replies[path] = fake.as_json({"status": "success", "data": {"result": series}})


def test_developments_and_totals_are_read_into_frames(fake_api: FakeApi) -> None:
    matrix = {"metric": {"status": "200"}, "values": [[1_799_999_990, "1.5"], [1_800_000_000, "NaN"]]}
    answer(fake_api, "/api/v1/query_range", matrix)
    answer(fake_api, "/api/v1/query", {"metric": {}, "value": [1_800_000_000, "12.5"]})
    frame = source(fake_api).rate(
        "api_requests_total", ("status",), (Match("endpoint", "/a|/b", negated=True),)
    )
    assert frame["time"][0] == pd.Timestamp(1_799_999_990, unit="s", tz="UTC")
    assert frame["status"].tolist() == ["200", "200"]
    assert last_value(frame) is None
    assert last_value(source(fake_api).total("ecommerce_revenue_pounds_total")) == 12.5
    assert fake_api.asked["/api/v1/query_range"] == [
        {
            "query": 'sum by (status) (rate(api_requests_total{endpoint!~"/a|/b"}[60s]))',
            "start": "1799996400.0",
            "end": "1800000000.0",
            "step": "30",
        }
    ]
    [total] = fake_api.asked["/api/v1/query"]
    assert total["query"].startswith("sum (((last_over_time(ecommerce_revenue_pounds_total[3600s]) - ")


def test_a_development_that_stopped_has_no_latest(fake_api: FakeApi) -> None:
    """The API went down, and what it did before is not what it does."""
    answer(fake_api, "/api/v1/query_range", {"metric": {}, "values": [[1_799_999_000, "12"]]})
    frame = source(fake_api).rate("api_requests_total")
    assert last_value(frame) is None
    assert frame["value"].tolist()[0] == 12


def test_a_gauge_of_each_replica_is_summed_where_that_is_asked(fake_api: FakeApi) -> None:
    answer(fake_api, "/api/v1/query_range")
    source(fake_api).levels("g")
    source(fake_api).levels("g", summed=True)
    asked = [query["query"] for query in fake_api.asked["/api/v1/query_range"]]
    assert asked == ["max (g)", "sum (g)"]


def test_an_empty_answer_is_a_frame_of_numbers(fake_api: FakeApi) -> None:
    answer(fake_api, "/api/v1/query")
    assert source(fake_api).level("g", ("product_id",))["value"].dtype == float


def test_a_prometheus_that_collects_something_else_does_not_know_the_shop(fake_api: FakeApi) -> None:
    answer(fake_api, "/api/v1/query")
    assert not source(fake_api).knows_the_shop()
    answer(fake_api, "/api/v1/query", {"metric": {}, "value": [1, "30"]})
    assert source(fake_api).knows_the_shop()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        '{"data": {"result": [{}]}}',
        '{"data": {"result": [{"metric": {}, "value": [1, "x"]}]}}',
    ],
)
def test_malformed_answers_are_said_to_be_so(fake_api: FakeApi, text: str) -> None:
    fake_api.replies["/api/v1/query"] = (200, text)
    with pytest.raises(MalformedResponse):
        source(fake_api).level("g")


def questions(source: PrometheusSource) -> list[pd.DataFrame]:
    where, by = (Match("endpoint", "/metrics", negated=True),), ("method",)
    asked: list[Callable[[], pd.DataFrame]] = [
        lambda: source.rate("api_requests_total", by, where),
        lambda: source.total("api_requests_total", by, where),
        lambda: source.quantile(0.95, "api_request_latency_seconds", by, where),
        lambda: source.total_quantile(0.95, "api_request_latency_seconds", by, where),
        lambda: source.level("livraria_stock_units"),
        lambda: source.levels("livraria_stock_units"),
    ]
    return [ask() for ask in asked]


def test_every_question_parses_as_promql(fake_api: FakeApi) -> None:
    for path in ("/api/v1/query", "/api/v1/query_range"):
        answer(fake_api, path)
    assert all(frame.empty for frame in questions(source(fake_api)))
    asked = [query["query"] for queries in fake_api.asked.values() for query in queries]
    assert len(asked) == 6
    for question in asked:
        promql_parser.parse(question)
