"""The environment completed by `.env`, read alike by the shop, the dashboard and the demonstration."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream


def read_environment(env_file: Path | None, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables of `environ`, and those of `env_file` that it lacks.

    A value in the file may be followed by ` # a comment`; `$` has no meaning. Raises OSError or UnicodeDecodeError.
    """
    values = dotenv_values(env_file, interpolate=False) if env_file else {}
    return {name: value or "" for name, value in values.items()} | dict(environ)


def ambiguous_names(env_file: Path | None) -> list[str]:
    """Return the variables of `env_file` whose value has a `$` that compose, unlike this module, gives a meaning.

    Between single quotes it has none for either. Raises OSError or UnicodeDecodeError.
    """
    if env_file is None or not env_file.is_file():
        return []
    with env_file.open(encoding="utf-8") as stream:
        bindings = [binding for binding in parse_stream(stream) if "$" in (binding.value or "")]
    texts = {binding.key or "": binding.original.string.partition("=")[2] for binding in bindings}
    return [name for name, text in texts.items() if not text.lstrip().startswith("'")]
