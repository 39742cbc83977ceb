"""Prometheus' text format, read for tests."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read_samples(text: str) -> Samples:
    """Every sample by its name and its labels in order; AssertionError where a series is there twice."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in samples, f"{key} is there twice"
            samples[key] = sample.value
    return samples


def value(samples: Samples, name: str, **labels: Any) -> float:
    """One sample; KeyError where there is none."""
    return samples[name, tuple(sorted((label, str(text)) for label, text in labels.items()))]


def labels_of(samples: Samples, name: str, label: str) -> set[str]:
    """Every value that `label` has in the series of `name`."""
    return {dict(labels)[label] for sample, labels in samples if sample == name}
