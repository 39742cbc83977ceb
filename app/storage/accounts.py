"""Rows of `usuario` and `sessao`."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.accounts import Role, User
from app.storage.database import updated_one
from app.storage.models import LoginRow, UserRow

MAX_LOGINS = 50


def find_user_row(session: Session, username: str) -> UserRow | None:
    return session.scalar(select(UserRow).where(UserRow.username == username))


def replace_password_hash(session: Session, user_id: int, old: str, new: str) -> None:
    """Store the hash `new` where the present one is `old`."""
    session.execute(
        update(UserRow).where(UserRow.id == user_id, UserRow.password_hash == old).values(password_hash=new)
    )


def as_user(row: UserRow) -> User:
    return User(row.id, row.username, Role(row.role))


def find_logged_in(session: Session, login_id: str, user_id: int, now: datetime) -> User | None:
    """Return the user of a login, None where it has ended."""
    row = session.scalar(
        select(UserRow)
        .join(LoginRow, LoginRow.user_id == UserRow.id)
        .where(LoginRow.id == login_id, UserRow.id == user_id, LoginRow.expires_at > now)
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
