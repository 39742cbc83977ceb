"""Who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """`ADMIN` may do all that `OPERATOR` may, and manages users."""

    OPERATOR = "operador"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        return self is Role.ADMIN or self is needed


BY_API_KEY = "chave-api"
BY_PAYMENT = "pagamento"
BY_RECOVERY = "recuperacao"
BY_PUBLICATION = "publicacao"
RESERVED_USERNAMES = frozenset({BY_API_KEY, BY_PAYMENT, BY_RECOVERY, BY_PUBLICATION})
"""What histories call the parts of the shop; no user may look like one."""


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    role: Role


def min_password_length(*, production: bool) -> int:
    """The seeds' own examples have four characters, so development allows them."""
    return 8 if production else 4
