"""Users and their logins."""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.accounts import Account, Role, User, composed, username_key
from app.core.errors import (
    InvalidCredentials,
    InvalidInput,
    InvalidToken,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from app.services.passwords import Passwords
from app.storage import accounts
from app.storage.database import Database
from app.storage.models import LoginRow, UserRow

log = logging.getLogger(__name__)

ACCESS_TOKEN_TTL = timedelta(minutes=15)
REFRESH_TOKEN_TTL = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Login:
    """A login of `user`; `refresh_jti` is the `jti` of the only refresh token that renews it."""

    id: str
    user: User
    refresh_jti: str


class Accounts:
    """Creates users and opens, renews and closes their logins. Holds no state of its own."""

    def __init__(self, database: Database, passwords: Passwords, min_password_length: int) -> None:
        self._database = database
        self._passwords = passwords
        self._min_password_length = min_password_length

    def create_user(self, username: str, password: str, role: Role, *, must_change: bool = False) -> User:
        """Create a user. Raises UsernameTaken, or InvalidInput for a short password."""
        self._check_length("password", password)
        row = UserRow(
            username=composed(username),
            username_key=username_key(username),
            password_hash=self._passwords.hash(password),
            role=role,
            created_at=datetime.now(UTC),
            must_change_password=must_change,
        )
        try:
            with self._database.writing() as session:
                session.add(row)
        except IntegrityError as error:
            # The database decides, since two requests may send the same name at once.
            raise UsernameTaken from error
        log.info("user_created", extra={"user": row.id, "role": role.value})
        return accounts.as_user(row)

    def log_in(self, username: str, password: str) -> Login:
        """Open a login. Raises InvalidCredentials, after the same time whether or not the user exists."""
        # Once more where another login, in the meantime, stored a new hash of the same password.
        login = self._try_to_log_in(username, password) or self._try_to_log_in(username, password)
        if login is None:
            raise InvalidCredentials
        return login

    def _try_to_log_in(self, username: str, password: str) -> Login | None:
        """Return None where the password or the user changed after it was read."""
        with self._database.reading() as session:
            row = accounts.find_user_row(session, username)
        matches = self._passwords.matches(None if row is None else row.password_hash, password)
        if row is None or row.disabled_at is not None or not matches:
            raise InvalidCredentials
        outdated = self._passwords.is_outdated(row.password_hash)
        new_hash = (
            self._passwords.hash(password) if outdated else row.password_hash
        )  # slow, so before the lock
        now = datetime.now(UTC)
        login = Login(uuid.uuid4().hex, accounts.as_user(row), str(uuid.uuid4()))
        with self._database.writing() as session:
            # A login that began before the password was replaced must not outlive it.
            if not accounts.lock_user(session, row.id, row.password_hash):
                return None
            accounts.open_login(
                session,
                LoginRow(
                    id=login.id,
                    user_id=row.id,
                    refresh_jti=login.refresh_jti,
                    started_at=now,
                    expires_at=now + REFRESH_TOKEN_TTL,
                ),
            )
            if outdated:
                accounts.replace_hash(session, row.id, row.password_hash, new_hash)
        return login

    def renew(self, login_id: str, user: User, refresh_jti: str) -> Login:
        """Replace the login's refresh token by a new one.

        Raises InvalidToken where `refresh_jti` was replaced before: two clients have it, so the login ends.
        """
        renewed = Login(login_id, user, str(uuid.uuid4()))
        with self._database.writing() as session:
            fresh = accounts.rotate_refresh(
                session, login_id, refresh_jti, renewed.refresh_jti, datetime.now(UTC) + REFRESH_TOKEN_TTL
            )
            if not fresh:
                accounts.close_login(session, login_id)
        if not fresh:
            log.warning("refresh_token_reused", extra={"user": user.id})
            raise InvalidToken(
                "Este refresh token já foi usado: a sessão foi encerrada, faça login novamente."
            )
        return renewed

    def log_out(self, login_id: str) -> None:
        """End the login and with it all its tokens."""
        with self._database.writing() as session:
            accounts.close_login(session, login_id)

    def logged_in(self, login_id: str, user_id: int) -> User | None:
        """Return the user of a login, None where it has ended."""
        with self._database.reading() as session:
            return accounts.find_logged_in(session, login_id, user_id, datetime.now(UTC))

    def change_password(self, user: User, login_id: str, current: str, new: str) -> None:
        """Replace the user's own password and end its other logins. Raises WrongPassword or InvalidInput."""
        self._check_length("senha_nova", new)
        if composed(new) == composed(current):
            raise InvalidInput.of("senha_nova", "deve ser diferente da atual")
        with self._database.reading() as session:
            old_hash = session.get_one(UserRow, user.id).password_hash
        if not self._passwords.matches(old_hash, current):
            raise WrongPassword
        new_hash = self._passwords.hash(new)
        with self._database.writing() as session:
            replaced = accounts.replace_password(
                session, user.id, old_hash, new_hash, must_change=False, keep_login=login_id
            )
        if not replaced:
            raise WrongPassword  # replaced by another request in the meantime
        log.info("password_changed", extra={"user": user.id})

    def reset_password(self, username: str, password: str) -> None:
        """Replace a user's password and end all its logins. Raises UserNotFound or InvalidInput."""
        self._check_length("password", password)
        new_hash = self._passwords.hash(password)
        with self._database.writing() as session:
            row = _require_row(session, username)
            session.refresh(row, with_for_update=True)  # whatever its hash is by now
            accounts.replace_password(session, row.id, row.password_hash, new_hash, must_change=False)
        log.warning("password_reset", extra={"user": row.id})

    def disable(self, username: str) -> None:
        """Refuse a user from now on, its open logins included. Raises UserNotFound."""
        with self._database.writing() as session:
            row = _require_row(session, username)
            accounts.set_disabled(session, row.id, datetime.now(UTC))
        log.warning("user_disabled", extra={"user": row.id})

    def enable(self, username: str) -> None:
        """Let a disabled user log in again. Raises UserNotFound."""
        with self._database.writing() as session:
            row = _require_row(session, username)
            accounts.set_disabled(session, row.id, None)
        log.warning("user_enabled", extra={"user": row.id})

    def log_out_everywhere(self, username: str) -> int:
        """End all logins of a user and return how many. Raises UserNotFound."""
        with self._database.writing() as session:
            return accounts.close_logins(session, _require_row(session, username).id)

    def list_accounts(self) -> list[Account]:
        with self._database.reading() as session:
            return accounts.list_accounts(session, datetime.now(UTC))

    def ensure_admin(self, password: str, *, production: bool, sample: str) -> None:
        """Create the user `admin` if missing; in production, replace its password where it is still the `sample`.

        In production it must then choose a password of its own, since this one lies in a file or an environment.
        """
        with self._database.reading() as session:
            row = accounts.find_user_row(session, "admin")
        if row is None:
            try:
                self.create_user("admin", password, Role.ADMIN, must_change=production)
            except UsernameTaken:
                log.debug("admin_already_created")
        elif production and self._passwords.matches(row.password_hash, sample):
            new_hash = self._passwords.hash(password)
            with self._database.writing() as session:
                replaced = accounts.replace_password(
                    session, row.id, row.password_hash, new_hash, must_change=True
                )
            if replaced:  # and not by another process that starts, or by a person, in the meantime
                log.warning("sample_admin_password_replaced")

    def _check_length(self, field: str, password: str) -> None:
        if len(composed(password)) < self._min_password_length:
            raise InvalidInput.of(field, f"deve ter pelo menos {self._min_password_length} caracteres")


def _require_row(session: Session, username: str) -> UserRow:
    row = accounts.find_user_row(session, username)
    if row is None:
        raise UserNotFound
    return row
