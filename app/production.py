"""What production refuses to start with."""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from app.core.accounts import composed, min_password_length
from operating_system import WINDOWS

SAMPLE_API_KEY: Final = "minha_chave_secreta_empresa"
SAMPLE_ADMIN_PASSWORD: Final = "1234"  # noqa: S105 - the seeds' documented password
MIN_SECRET_BYTES: Final = 32
MIN_KEY_CHARS: Final = 16
SECRET_FILE: Final = ".jwt_secret"  # noqa: S105 - the name of a file
_OFF = ("", "0", "false", "no")
"""The values of FLASK_DEBUG that Flask takes for none."""
SECRETS: Final = (
    "JWT_SECRET_KEY",
    "JWT_SECRET_KEY_PREVIOUS",
    "ADMIN_PASSWORD",
    "API_KEY_REQUIRED",
    "API_KEY_PREVIOUS",
    "METRICS_TOKEN",
    "DATABASE_URL",
    "RATELIMIT_STORAGE_URI",
)
"""Settings that no message shows."""
_DASHBOARD_SECRETS: Final = ("API_PASSWORD", "API_TOKEN")


def production_problems(values: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the settings; those that can't be read are missing in `values`."""
    problems = []
    if not values.get("jwt_secret_key", ""):
        problems.append(f"JWT_SECRET_KEY é obrigatório em produção ({MIN_SECRET_BYTES} bytes ou mais)")
    shortest = min_password_length(production=True)
    password = values.get("admin_password")
    if password == SAMPLE_ADMIN_PASSWORD:
        problems.append("ADMIN_PASSWORD é obrigatório em produção e não pode ser a senha de exemplo")
    elif password is not None and len(composed(password)) < shortest:
        problems.append(f"ADMIN_PASSWORD deve ter pelo menos {shortest} caracteres em produção")
    if values.get("api_key") == SAMPLE_API_KEY:
        problems.append("API_KEY_REQUIRED é obrigatório em produção e não pode ser a chave de exemplo")
    elif "api_key" in values:
        problems += _short("API_KEY_REQUIRED", values["api_key"])
    if values.get("api_key_previous") == SAMPLE_API_KEY:
        problems.append("API_KEY_PREVIOUS não pode ser a chave de exemplo em produção")
    elif values.get("api_key_previous"):
        problems += _short("API_KEY_PREVIOUS", values["api_key_previous"])
    if values.get("metrics_token"):
        problems += _short("METRICS_TOKEN", values["metrics_token"])
    if texts.get("FLASK_DEBUG", "").strip().lower() not in _OFF:
        problems.append("FLASK_DEBUG deve ficar desligado em produção")
    return problems


def exposed_files(env_file: Path | None, file_texts: Mapping[str, str], data_dir: Path | None) -> list[str]:
    """Return a problem for each file that holds a secret and that other users of this machine can reach."""
    samples = ("", SAMPLE_ADMIN_PASSWORD, SAMPLE_API_KEY)
    files = [] if data_dir is None else [data_dir / SECRET_FILE]
    if env_file is not None and any(
        file_texts.get(name, "").strip() not in samples for name in (*SECRETS, *_DASHBOARD_SECRETS)
    ):
        files.append(env_file)
    return [
        f"{file} guarda segredos e outros usuários podem lê-lo: chmod 600" for file in files if _exposed(file)
    ]


def _exposed(file: Path) -> bool:
    """Return whether the group or everybody may read or change the file, where its mode says so."""
    if WINDOWS:
        return False
    try:
        return bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False


def _short(name: str, secret: str) -> list[str]:
    short = len(secret) < MIN_KEY_CHARS
    return [f"{name} deve ter pelo menos {MIN_KEY_CHARS} caracteres em produção"] if short else []
