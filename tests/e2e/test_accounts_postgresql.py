"""Users and their logins on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.core.accounts import Role
from app.core.errors import InvalidCredentials, UsernameTaken
from app.services.accounts import Accounts
from app.services.passwords import Passwords
from app.shop import Shop
from app.start import prepare
from app.storage.models import LoginRow, UserRow
from tests.support.accounts import USERS, upgrade_with_doubles
from tests.support.orders import wait_until


@pytest.fixture
def two_processes(make_app: Callable[..., Flask], database_url: str) -> tuple[Shop, Shop]:
    apps = [make_app(database_url=database_url) for _ in range(2)]
    prepare(apps[0])
    first, second = (app.extensions["shop"] for app in apps)
    return first, second


def test_users_of_an_older_release_log_in_as_before(
    make_app: Callable[..., Flask], database_url: str
) -> None:
    app = make_app(database_url=database_url)
    prepare(app)
    upgrade_with_doubles(app)
    accounts: Accounts = app.extensions["shop"].accounts
    assert len({accounts.log_in(name, name).user.id for name in USERS}) == len(USERS)
    with pytest.raises(UsernameTaken):
        accounts.create_user("José", "12345", Role.OPERATOR)


def test_a_reset_in_one_process_ends_the_logins_of_another(two_processes: tuple[Shop, Shop]) -> None:
    here, there = two_processes
    login = there.accounts.log_in("admin", "1234")
    assert there.accounts.logged_in(login.id, login.user.id) is not None
    here.accounts.reset_password("admin", "another one")
    assert there.accounts.logged_in(login.id, login.user.id) is None
    with pytest.raises(InvalidCredentials):
        there.accounts.log_in("admin", "1234")


def test_no_login_outlives_a_password_that_is_replaced_while_it_begins(
    two_processes: tuple[Shop, Shop],
) -> None:
    here, there = two_processes
    for round_ in range(10):
        old, new = (f"password {number}" for number in (round_, round_ + 1))
        here.accounts.reset_password("admin", old)

        def log_in(_number: int, old: str = old) -> None:
            with suppress(InvalidCredentials):
                there.accounts.log_in("admin", old)

        with ThreadPoolExecutor(5) as pool:
            logins = [pool.submit(log_in, number) for number in range(4)]
            replaced = pool.submit(here.accounts.reset_password, "admin", new)
            for done in [*logins, replaced]:
                done.result(30)
        with here.database.reading() as session:
            assert session.scalars(select(LoginRow.id)).all() == []


def test_a_login_waits_for_the_replacement_that_has_begun(two_processes: tuple[Shop, Shop]) -> None:
    here, there = two_processes
    new_hash = Passwords(here.settings).hash("another one")
    with ThreadPoolExecutor(1) as pool:
        with here.database.writing() as session:
            session.execute(text("UPDATE usuario SET password = :new"), {"new": new_hash})
            login = pool.submit(there.accounts.log_in, "admin", "1234")
            _wait_until_blocked(here)
        with pytest.raises(InvalidCredentials):
            login.result(30)
    with here.database.reading() as session:
        assert session.scalars(select(UserRow.password_hash)).all() == [new_hash]


def _wait_until_blocked(shop: Shop) -> None:
    """Wait until another connection waits for a lock."""

    def blocked() -> bool:
        with shop.database.reading() as session:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return bool(session.execute(text(waiting)).scalar())

    wait_until(blocked)
