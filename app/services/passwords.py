"""Password hashes: Argon2id, salted and memory-hard (RFC 9106), at the cost the settings ask for."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.core.accounts import composed
from app.settings import Settings


class Passwords:
    """Hashes and checks passwords. Immutable once built, so threads share it."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.password_hash_rounds,
            memory_cost=settings.password_hash_memory_kib,
            parallelism=1,
        )
        # Checked for unknown users, so that the time a check takes doesn't tell whether a user exists.
        self._unknown_users_hash = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        return self._hasher.hash(composed(password))

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether `password` is the one hashed; as slow for None, an unknown user."""
        # Also as it was sent: older releases hashed that.
        forms = dict.fromkeys((composed(password), password))
        matches = any(self._verify(password_hash or self._unknown_users_hash, form) for form in forms)
        return matches and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether the settings now ask for another cost than this hash has."""
        return self._hasher.check_needs_rehash(password_hash)
