"""The environment completed by `.env`, read alike by the shop, the dashboard and the demonstration."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values


def read_environment(env_file: Path | None, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables of `environ`, and those of `env_file` that it lacks.

    A value in the file may be followed by ` # a comment`; `$` has no meaning. Raises OSError or UnicodeDecodeError.
    """
    values = dotenv_values(env_file, interpolate=False) if env_file else {}
    return {name: value or "" for name, value in values.items()} | dict(environ)
