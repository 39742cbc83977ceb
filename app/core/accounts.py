"""Users and roles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """A user's role; `ADMIN` includes `OPERATOR`."""

    OPERATOR = "operador"
    ADMIN = "admin"

    def covers(self, role: Role) -> bool:
        return self is Role.ADMIN or self is role


BY_API_KEY = "chave-api"
BY_PAYMENT = "pagamento"
BY_RECOVERY = "recuperacao"
BY_PUBLICATION = "publicacao"
RESERVED_USERNAMES = frozenset({BY_API_KEY, BY_PAYMENT, BY_RECOVERY, BY_PUBLICATION})
"""Names of the parts of the shop in histories, which no user may have."""


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    role: Role


def min_password_length(*, production: bool) -> int:
    """Return the shortest password; development allows the four characters of the seeds' examples."""
    return 8 if production else 4
