"""Quantiles against Prometheus' own program."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

from dashboards.metrics.histograms import histogram_quantile
from tests.support.programs import need

BOUNDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, math.inf]
HISTOGRAMS = [
    [0, 0, 0, 10, 10, 10, 10, 10, 10, 10],
    [1, 5, 20, 30, 34, 36, 37, 38, 39, 40],
    [7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 3],
    [0, 2, 2, 2, 9, 9, 9, 9, 9, 12],
]
QUANTILES = [0.01, 0.1, 0.5, 0.95, 0.99, 1]


def test_prometheus_computes_the_same(tmp_path: Path) -> None:
    promtool = need("promtool", debian_package="prometheus")
    series = [
        {"series": f'h{number}_bucket{{le="{"+Inf" if math.isinf(bound) else bound}"}}', "values": str(count)}
        for number, counts in enumerate(HISTOGRAMS)
        for bound, count in zip(BOUNDS, counts, strict=True)
    ]
    expectations = [
        {
            # rounded, so that the two may differ in the last bit
            "expr": f"round(histogram_quantile({quantile}, h{number}_bucket), 0.000001)",
            "eval_time": "0m",
            "exp_samples": [
                {"labels": "{}", "value": round(histogram_quantile(quantile, BOUNDS, counts), 6)}
            ],
        }
        for number, counts in enumerate(HISTOGRAMS)
        for quantile in QUANTILES
    ]
    tests = tmp_path / "quantiles.json"  # JSON is YAML
    tests.write_text(json.dumps({"tests": [{"input_series": series, "promql_expr_test": expectations}]}))
    run = subprocess.run(
        [promtool, "test", "rules", str(tests)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
