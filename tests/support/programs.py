"""System programs that some tests need and a newcomer may lack."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_FOLDERS = "/usr/lib/postgresql/*/bin"


def need(program: str, *, debian_package: str) -> str:
    """The path of `program`; skips the test where it is missing, or fails it in CI, which installs them all."""
    found = shutil.which(program) or _in_debian_folder(program)
    if found is None:
        message = f"{program} is not installed (Debian package {debian_package})"
        if os.environ.get("REQUIRE_SYSTEM_PROGRAMS"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def _in_debian_folder(program: str) -> str | None:
    return next((str(path) for path in sorted(Path("/").glob(f"{_FOLDERS[1:]}/{program}"))), None)
