"""System programs that some tests need and a newcomer may lack."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_FOLDERS = "/usr/lib/postgresql/*/bin"


def need(program: str, *, debian_package: str = "", npm_folder: Path | None = None) -> str:
    """The path of `program`; skips the test where it is missing, or fails it in CI, which installs them all.

    It comes from a Debian package, or from the package.json in `npm_folder`.
    """
    found = shutil.which(program) or _in_debian_folder(program)
    source = f"Debian package {debian_package}"
    if npm_folder is not None:
        found = shutil.which(program, path=npm_folder / "node_modules" / ".bin") or found
        source = f"npm ci --prefix {npm_folder}"
    if found is None:
        message = f"{program} is not installed ({source})"
        if os.environ.get("REQUIRE_SYSTEM_PROGRAMS"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def _in_debian_folder(program: str) -> str | None:
    return next((str(path) for path in sorted(Path("/").glob(f"{_FOLDERS[1:]}/{program}"))), None)
