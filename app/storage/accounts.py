"""Rows of `usuario` and `sessao`."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.core.accounts import Account, Role, User, composed
from app.storage.database import updated_one
from app.storage.models import LoginRow, UserRow

MAX_LOGINS = 50


def find_user_row(session: Session, username: str) -> UserRow | None:
    """Return the user of a name; of two from before a name was unique, the one that is spelt exactly so."""
    rows = session.scalars(select(UserRow).where(UserRow.username.in_({username, composed(username)}))).all()
    return min(rows, key=lambda row: row.username != username, default=None)


def as_user(row: UserRow) -> User:
    return User(row.id, row.username, Role(row.role), row.must_change_password)


def list_accounts(session: Session, now: datetime) -> list[Account]:
    """Return all users by name, each with the number of its logins that are open."""
    logins = (
        select(func.count(LoginRow.id))
        .where(LoginRow.user_id == UserRow.id, LoginRow.expires_at > now)
        .scalar_subquery()
    )
    return [
        Account(as_user(row), row.created_at, row.disabled_at, row.username_key is None, count)
        for row, count in session.execute(select(UserRow, logins).order_by(UserRow.username))
    ]


def replace_hash(session: Session, user_id: int, old: str, new: str) -> None:
    """Store another hash of the same password, where the present one is still `old`."""
    session.execute(
        update(UserRow).where(UserRow.id == user_id, UserRow.password_hash == old).values(password_hash=new)
    )


def replace_password(
    session: Session, user_id: int, old: str, new: str, *, must_change: bool, keep_login: str = ""
) -> bool:
    """Store the hash of another password and end the user's logins but `keep_login`.

    Return False, and change nothing, where the present hash is no longer `old`.
    """
    result = session.execute(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.password_hash == old)
        .values(password_hash=new, must_change_password=must_change)
    )
    if not updated_one(result):
        return False
    close_logins(session, user_id, keep_login)
    return True


def set_disabled(session: Session, user_id: int, disabled_at: datetime | None) -> None:
    """Disable a user and end its logins, or enable it again where `disabled_at` is None."""
    session.execute(update(UserRow).where(UserRow.id == user_id).values(disabled_at=disabled_at))
    if disabled_at is not None:
        close_logins(session, user_id)


def lock_user(session: Session, user_id: int, password_hash: str) -> bool:
    """Return whether the user is enabled and has this hash, which stays so until the transaction ends."""
    return (
        session.scalar(
            select(UserRow.id)
            .where(
                UserRow.id == user_id, UserRow.password_hash == password_hash, UserRow.disabled_at.is_(None)
            )
            .with_for_update()  # PostgreSQL: SQLite's transaction is the only writer
        )
        is not None
    )


def find_logged_in(session: Session, login_id: str, user_id: int, now: datetime) -> User | None:
    """Return the user of a login, None where it has ended."""
    row = session.scalar(
        select(UserRow)
        .join(LoginRow, LoginRow.user_id == UserRow.id)
        .where(
            LoginRow.id == login_id,
            UserRow.id == user_id,
            UserRow.disabled_at.is_(None),
            LoginRow.expires_at > now,
        )
    )
    return None if row is None else as_user(row)


def open_login(session: Session, login: LoginRow) -> None:
    """Store `login`; delete expired ones and all but the newest MAX_LOGINS of its user."""
    session.execute(delete(LoginRow).where(LoginRow.expires_at < login.started_at))
    newest = (
        select(LoginRow.id)
        .where(LoginRow.user_id == login.user_id)
        .order_by(LoginRow.started_at.desc())
        .limit(MAX_LOGINS - 1)
    )
    session.execute(
        delete(LoginRow).where(
            LoginRow.user_id == login.user_id, LoginRow.id.not_in(select(newest.subquery().c.id))
        )
    )
    session.add(login)


def rotate_refresh(session: Session, login_id: str, old_jti: str, new_jti: str, expires_at: datetime) -> bool:
    """Replace a login's refresh token; return False where `old_jti` is not its newest one."""
    result = session.execute(
        update(LoginRow)
        .where(LoginRow.id == login_id, LoginRow.refresh_jti == old_jti)
        .values(refresh_jti=new_jti, expires_at=expires_at)
    )
    return updated_one(result)


def close_login(session: Session, login_id: str) -> None:
    session.execute(delete(LoginRow).where(LoginRow.id == login_id))


def close_logins(session: Session, user_id: int, keep_login: str = "") -> int:
    """End all logins of a user but `keep_login`, and return how many."""
    result = session.execute(
        delete(LoginRow).where(LoginRow.user_id == user_id, LoginRow.id != keep_login).returning(LoginRow.id)
    )
    return len(result.all())
