"""The key that signs the tokens, where none was set."""

import secrets
from dataclasses import replace

from app.production import SECRET_FILE
from app.settings import Settings
from app.storage.atomic_write import read_or_create


def with_own_secret(settings: Settings) -> Settings:
    """Return `settings` with a JWT secret, made once and kept in the data directory unless one was set.

    The supervisor calls this before it starts its workers, so that they all read the same secret. Raises OSError.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if settings.jwt_secret_key:
        return settings
    secret = read_or_create(settings.data_dir / SECRET_FILE, lambda: secrets.token_hex(32))
    return replace(settings, jwt_secret_key=secret)
