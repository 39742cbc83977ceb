"""Users and their logins."""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import IntegrityError

from app.core.accounts import Role, User
from app.core.errors import InvalidCredentials, InvalidInput, InvalidToken, UsernameTaken
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

    def create_user(self, username: str, password: str, role: Role) -> User:
        """Create a user. Raises UsernameTaken, or InvalidInput for a short password."""
        if len(password) < self._min_password_length:
            raise InvalidInput.of("password", f"deve ter pelo menos {self._min_password_length} caracteres")
        password_hash = self._passwords.hash(password)
        row = UserRow(username=username, password_hash=password_hash, role=role, created_at=datetime.now(UTC))
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
        with self._database.reading() as session:
            row = accounts.find_user_row(session, username)
        matches = self._passwords.matches(None if row is None else row.password_hash, password)
        if row is None or not matches:
            raise InvalidCredentials
        outdated = self._passwords.is_outdated(row.password_hash)
        new_hash = (
            self._passwords.hash(password) if outdated else row.password_hash
        )  # slow, so before the lock
        now = datetime.now(UTC)
        login = Login(uuid.uuid4().hex, accounts.as_user(row), str(uuid.uuid4()))
        with self._database.writing() as session:
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
                accounts.replace_password_hash(session, row.id, row.password_hash, new_hash)
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

    def ensure_admin(self, password: str, *, replaces: str | None) -> None:
        """Create the user `admin` if missing, and replace its password where it is still `replaces`."""
        with self._database.reading() as session:
            row = accounts.find_user_row(session, "admin")
        if row is None:
            try:
                self.create_user("admin", password, Role.ADMIN)
            except UsernameTaken:
                log.debug("admin_already_created")
        elif replaces is not None and self._passwords.matches(row.password_hash, replaces):
            new_hash = self._passwords.hash(password)
            with self._database.writing() as session:
                accounts.replace_password_hash(session, row.id, row.password_hash, new_hash)
            log.warning("sample_admin_password_replaced")
