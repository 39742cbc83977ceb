"""Prometheus' text format, read for tests."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read_samples(text: str) -> Samples:
    """Return every sample by its name and its labels in order. Raises AssertionError for a repeated series."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in samples, f"{key} is there twice"
            samples[key] = sample.value
    return samples


def increase(before: Samples, after: Samples, name: str, **labels: Any) -> float:
    """Return by how much a counter grew; it may not have been there before."""
    return value(after, name, **labels) - value(dict.fromkeys(after, 0.0) | before, name, **labels)


def value(samples: Samples, name: str, **labels: Any) -> float:
    """Return one sample. Raises KeyError where there is none."""
    return samples[name, tuple(sorted((label, str(text)) for label, text in labels.items()))]


def labels_of(samples: Samples, name: str, label: str) -> set[str]:
    """Return every value of `label` in the series of `name`."""
    return {dict(labels)[label] for sample, labels in samples if sample == name}
