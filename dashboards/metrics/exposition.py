"""Prometheus' text format, as `GET /metrics` answers it."""

from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]
Samples = dict[str, dict[Labels, float]]

# The book API's own names say the same again, by far in the most lines.
_SAID_TWICE = "flask_http_"
_SHOWN = ("api_", "ecommerce_", "livraria_", "process_")


class NotMetrics(ValueError):
    """The text is something else."""


def parse(text: str) -> Samples:
    """The values of the shop's samples by name and labels; labels are in the order of their names."""
    samples: Samples = {}
    lines = (line for line in text.splitlines(keepends=True) if not line.startswith(_SAID_TWICE))
    try:
        for family in text_string_to_metric_families("".join(lines)):
            for sample in family.samples:
                if sample.name.startswith(_SHOWN) and not math.isnan(sample.value):
                    labels = tuple(sorted(sample.labels.items()))
                    samples.setdefault(sample.name, {})[labels] = float(sample.value)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotMetrics(str(error)) from error
    if not samples:
        raise NotMetrics("no sample of the shop")
    return samples
