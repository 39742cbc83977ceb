"""Trainings of models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Run):
    """One training, whose `id` is the version of its model. `card` is as the training wrote it, `digest` a SHA-256."""

    catalogue_version: int
    card: Mapping[str, Any] | None
    digest: str | None
