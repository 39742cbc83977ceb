"""Trainings of models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Run):
    """One training, whose `id` is the version of its model. `card` is as the training wrote it, digests are SHA-256.

    `texts_digest` is None where an older release has trained, which read no texts.
    """

    catalogue_version: int
    card: Mapping[str, Any] | None
    digest: str | None
    texts_digest: str | None
