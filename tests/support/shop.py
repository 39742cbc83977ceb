"""Shops for tests: settings that are fast, data directories that are ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.settings import Settings, default_settings

SECRET = "a secret of forty bytes, only for tests!"


def make_settings(data_dir: Path, **changes: Any) -> Settings:
    """The defaults, with password hashes that cost nothing and a scraper that reaches nowhere."""
    return default_settings(
        **{
            "data_dir": data_dir,
            "jwt_secret_key": SECRET,
            "password_hash_memory_kib": 8,
            "password_hash_rounds": 1,
            "scraper_base_url": "http://127.0.0.1:9/",
            "ml_auto_train": False,
            **changes,
        }
    )
