"""Shops for tests: settings that are fast, data directories that are ready."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from app.settings import Settings, read_settings

SECRET = "a secret of forty bytes, only for tests!"


def make_settings(data_dir: Path, **changes: Any) -> Settings:
    """Return the defaults, with cheap password hashes and a scraper that reaches no host."""
    quick: dict[str, Any] = {
        "data_dir": data_dir,
        "jwt_secret_key": SECRET,
        "password_hash_memory_kib": 8,
        "password_hash_rounds": 1,
        "scraper_base_url": "http://127.0.0.1:9/",
        "ml_auto_train": False,
        # Counted as in production, but all clients of a test are one.
        "writes_per_minute": 10_000_000,
        "runs_per_minute": 10_000,
    }
    return replace(read_settings({}), **(quick | changes))
