"""The source that asks Prometheus: its queries, and what it reads from the responses."""

from __future__ import annotations

import promql_parser
import pytest

from dashboards.client.http_client import HttpClient, MalformedResponse
from dashboards.metrics.prometheus import PrometheusSource
from dashboards.metrics.source import Match, last_value
from tests.support.dashboards.fake_api import FakeApi

INSTANT, RANGE = "/api/v1/query", "/api/v1/query_range"


@pytest.fixture
def source(fake_api: FakeApi) -> PrometheusSource:
    client = HttpClient("O Prometheus", fake_api.url)
    return PrometheusSource(client, 3_600, "na última hora", clock=lambda: 1_800_000_000.0)


def respond(fake: FakeApi, path: str, *series: object) -> None:
    fake.responses[path] = fake.as_json({"status": "success", "data": {"result": series}})


def test_series_over_time_and_totals_are_read_into_frames(
    fake_api: FakeApi, source: PrometheusSource
) -> None:
    matrix = {"metric": {"status": "200"}, "values": [[1_799_999_990, "1.5"], [1_800_000_000, "NaN"]]}
    respond(fake_api, RANGE, matrix)
    respond(fake_api, INSTANT, {"metric": {}, "value": [1_800_000_000, "12.5"]})
    frame = source.rate("api_requests_total", ("status",), (Match("endpoint", "/a|/b", negated=True),))
    assert frame["time"][0].timestamp() == 1_799_999_990
    assert str(frame["time"].dt.tz) == "UTC"
    assert frame["status"].tolist() == ["200", "200"]
    assert last_value(frame) is None
    assert last_value(source.total("ecommerce_revenue_pounds_total")) == 12.5
    assert fake_api.queries[RANGE] == [
        {
            "query": 'sum by (status) (rate(api_requests_total{endpoint!~"/a|/b"}[60s]))',
            "start": "1799996400.0",
            "end": "1800000000.0",
            "step": "30",
        }
    ]
    [total] = fake_api.queries[INSTANT]
    assert total["query"].startswith("sum (((last_over_time(ecommerce_revenue_pounds_total[3600s]) - ")


def test_a_series_that_stopped_has_no_last_value(fake_api: FakeApi, source: PrometheusSource) -> None:
    """After the API goes down, its last rate is not the present one."""
    respond(fake_api, RANGE, {"metric": {}, "values": [[1_799_999_000, "12"]]})
    frame = source.rate("api_requests_total")
    assert last_value(frame) is None
    assert frame["value"].tolist()[0] == 12


def test_a_gauge_of_several_replicas_is_summed_on_request(
    fake_api: FakeApi, source: PrometheusSource
) -> None:
    respond(fake_api, RANGE)
    source.levels("g")
    source.levels("g", summed=True)
    assert [query["query"] for query in fake_api.queries[RANGE]] == ["max (g)", "sum (g)"]


def test_an_empty_response_is_a_frame_of_numbers(fake_api: FakeApi, source: PrometheusSource) -> None:
    respond(fake_api, INSTANT)
    assert source.level("g", ("product_id",))["value"].dtype == float


def test_a_prometheus_that_collects_something_else_does_not_know_the_shop(
    fake_api: FakeApi, source: PrometheusSource
) -> None:
    respond(fake_api, INSTANT)
    assert not source.knows_the_shop()
    respond(fake_api, INSTANT, {"metric": {}, "value": [1, "30"]})
    assert source.knows_the_shop()


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
def test_a_malformed_response_raises(fake_api: FakeApi, source: PrometheusSource, text: str) -> None:
    fake_api.responses[INSTANT] = (200, text)
    with pytest.raises(MalformedResponse):
        source.level("g")


def test_every_query_parses_as_promql(fake_api: FakeApi, source: PrometheusSource) -> None:
    respond(fake_api, INSTANT)
    respond(fake_api, RANGE)
    where, by = (Match("endpoint", "/metrics", negated=True),), ("method",)
    frames = [
        source.rate("api_requests_total", by, where),
        source.total("api_requests_total", by, where),
        source.quantile(0.95, "api_request_latency_seconds", by, where),
        source.total_quantile(0.95, "api_request_latency_seconds", by, where),
        source.level("livraria_stock_units"),
        source.levels("livraria_stock_units"),
    ]
    assert all(frame.empty for frame in frames)
    expressions = [query["query"] for queries in fake_api.queries.values() for query in queries]
    assert len(expressions) == 6
    for expression in expressions:
        promql_parser.parse(expression)
