"""Prometheus' text format, as `GET /metrics` responds with it."""

import math

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]
Samples = dict[str, dict[Labels, float]]
"""Values by name and labels."""

_REDUNDANT = "flask_http_"
"""Most lines of `/metrics`, which repeat the `api_` metrics under other names."""
_DISPLAYED = ("api_", "ecommerce_", "livraria_", "process_")


class NotMetrics(ValueError):
    """The text is not in Prometheus' format, or holds no sample of the shop."""


def parse(text: str) -> Samples:
    """Return the shop's samples, with labels sorted by name and without NaN values; raise NotMetrics."""
    samples: Samples = {}
    lines = (line for line in text.splitlines(keepends=True) if not line.startswith(_REDUNDANT))
    try:
        for family in text_string_to_metric_families("".join(lines)):
            for sample in family.samples:
                if sample.name.startswith(_DISPLAYED) and not math.isnan(sample.value):
                    labels = tuple(sorted(sample.labels.items()))
                    samples.setdefault(sample.name, {})[labels] = float(sample.value)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotMetrics(str(error)) from error
    if not samples:
        raise NotMetrics("no sample of the shop")
    return samples
