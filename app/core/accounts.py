"""Users and roles."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """A user's role; `ADMIN` includes `OPERATOR`."""

    OPERATOR = "operador"
    ADMIN = "admin"

    def covers(self, role: Role) -> bool:
        return self is Role.ADMIN or self is role


MAX_PASSWORD_CHARS = 128
BY_API_KEY = "chave-api"
BY_PAYMENT = "pagamento"
BY_RECOVERY = "recuperacao"
BY_PUBLICATION = "publicacao"
BY_SCHEDULE = "agenda"
RESERVED_USERNAMES = frozenset({BY_API_KEY, BY_PAYMENT, BY_RECOVERY, BY_PUBLICATION, BY_SCHEDULE})
"""Names of the parts of the shop in histories, which no user may have."""


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    role: Role
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A user as operators see it; `duplicated` where an older user has the same name in another spelling."""

    user: User
    created_at: datetime
    disabled_at: datetime | None
    duplicated: bool
    logins: int


def composed(text: str) -> str:
    """Return `text` in Unicode's composed form (NFC), since keyboards differ in how they send an accent."""
    return unicodedata.normalize("NFC", text)


def username_key(username: str) -> str:
    """Return what all spellings of a name have in common: case and the composition of accents don't count."""
    return composed(unicodedata.normalize("NFD", username).casefold())


def min_password_length(*, production: bool) -> int:
    """Return the shortest password; development allows the four characters of the seeds' examples."""
    return 8 if production else 4
