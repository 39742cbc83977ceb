from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.metrics.exposition import NotMetrics, parse
from tests.support.dashboards.fake_metrics import ShopMetrics

TEXT = """\
# HELP api_requests_total Every answer
# TYPE api_requests_total counter
api_requests_total{status="200",method="GET",endpoint="/api/v1/books/<int:book_idx>"} 12.0
api_requests_total{method="GET",endpoint="say \\"hi\\"\\\\",status="404"} 1e3 1600000000000
# TYPE api_request_latency_seconds histogram
api_request_latency_seconds_bucket{le="0.005"} 1
api_request_latency_seconds_bucket{le="+Inf"} 2
api_request_latency_seconds_sum 0.5
api_request_latency_seconds_count 2
# TYPE livraria_stock_units gauge
livraria_stock_units NaN
# TYPE python_gc_objects_collected counter
python_gc_objects_collected_total{generation="0"} 5
# TYPE flask_http_request_total counter
flask_http_request_total{method="GET",path="/",status="200"} 5
"""


def test_samples_are_read_by_name_and_sorted_labels() -> None:
    samples = parse(TEXT)
    assert samples["api_requests_total"] == {
        (("endpoint", "/api/v1/books/<int:book_idx>"), ("method", "GET"), ("status", "200")): 12.0,
        (("endpoint", 'say "hi"\\'), ("method", "GET"), ("status", "404")): 1000.0,
    }
    assert samples["api_request_latency_seconds_bucket"] == {(("le", "0.005"),): 1.0, (("le", "+Inf"),): 2.0}
    assert samples["api_request_latency_seconds_count"] == {(): 2.0}


def test_other_metrics_and_missing_values_are_dropped() -> None:
    names = set(parse(TEXT))
    assert not any(name.startswith(("python_", "flask_")) for name in names)
    assert "livraria_stock_units" not in names


def test_the_text_of_prometheus_own_client_is_read() -> None:
    assert parse(ShopMetrics().text())["livraria_stock_units"] == {(): 12345.0}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "<!doctype html><title>Entrar</title>",
        "{}",
        "api_requests_total{",
        "api_requests_total twelve",
    ],
)
def test_other_text_raises_not_metrics(text: str) -> None:
    with pytest.raises(NotMetrics):
        parse(text)


@given(st.text(max_size=200) | st.text(alphabet='api_x{}="\\#, 019\n', max_size=80))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(NotMetrics):
        parse(text)
