from __future__ import annotations

import pytest

from app.core.accounts import Role, min_password_length


@pytest.mark.parametrize(
    ("role", "needed", "covered"),
    [
        (Role.ADMIN, Role.ADMIN, True),
        (Role.ADMIN, Role.OPERATOR, True),
        (Role.OPERATOR, Role.OPERATOR, True),
        (Role.OPERATOR, Role.ADMIN, False),
    ],
)
def test_an_admin_may_do_all_that_an_operator_may_and_not_the_reverse(
    role: Role, needed: Role, covered: bool
) -> None:
    assert role.covers(needed) is covered


def test_the_roles_have_the_contracts_words() -> None:
    assert {role.value for role in Role} == {"operador", "admin"}


def test_production_asks_for_longer_passwords_than_the_seeds_examples() -> None:
    assert min_password_length(production=False) == len("1234")
    assert min_password_length(production=True) == 8
