"""Access to routes: every route declares it in its `operation`."""

import hmac
from enum import StrEnum
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from flask import g, request
from flask_jwt_extended import get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException, NoAuthorizationError, WrongTokenError
from jwt import decode
from jwt.exceptions import ExpiredSignatureError, InvalidSignatureError, PyJWTError

from app.core.accounts import BY_API_KEY, Role, User
from app.core.errors import InvalidToken, PasswordChangeRequired, RoleRequired, Unauthenticated
from app.extensions import jwt
from app.settings import Settings
from app.web.context import request_record, shop


class Access(StrEnum):
    """What a route asks of its caller; `ACCESS_TOKEN` and `ANY_TOKEN` admit any role.

    `LOGS` is `PUBLIC` or `OPERATOR`, as the setting LOGS_PUBLIC says; `METRICS` asks for METRICS_TOKEN if that is set.
    """

    PUBLIC = "public"
    REFRESH_TOKEN = "refresh token"  # noqa: S105
    ACCESS_TOKEN = "access token"  # noqa: S105
    ANY_TOKEN = "any token"  # noqa: S105
    OPERATOR = "operator"
    ADMIN = "admin"
    LOGS = "logs"
    METRICS = "metrics"
    API_KEY = "API key"


class InvalidApiKey(Unauthenticated):
    detail = "Chave de API ausente ou inválida: envie o cabeçalho X-API-Key."


_NEEDED_ROLE = {Access.OPERATOR: Role.OPERATOR, Access.ADMIN: Role.ADMIN}
_BEFORE_PASSWORD_CHANGE: Final = (Access.ACCESS_TOKEN, Access.ANY_TOKEN)
"""What a user may do whose first password must be changed: change it, and log out."""


def authorize(access: Access) -> None:
    """Set the request's `caller()`. Raises Unauthenticated or Forbidden."""
    if access is Access.LOGS:
        access = Access.PUBLIC if shop().settings.logs_public else Access.OPERATOR
    if access is Access.METRICS:
        _require_metrics_token()
        return
    if access is Access.PUBLIC:
        return
    if access is Access.API_KEY:
        if not knows_api_key():
            raise InvalidApiKey
        if request.headers.get("Authorization", "").partition(" ")[0] != "Bearer":
            return  # the key is enough; a token beside it names the user
    try:
        _verify_token(refresh=access is Access.REFRESH_TOKEN, verify_type=access is not Access.ANY_TOKEN)
    except (JWTExtendedException, PyJWTError) as error:
        raise InvalidToken(_explain(error)) from error
    claims = get_jwt()
    if access not in (Access.REFRESH_TOKEN, Access.ANY_TOKEN) and claims.get("type") != "access":
        raise InvalidToken("Token inválido.")
    user = shop().accounts.logged_in(str(claims.get("sessao", "")), _user_id(claims))
    if user is None:
        raise InvalidToken("A sessão deste token foi encerrada. Faça login novamente.")
    g.caller = user
    # Before the role is checked: the log also names the user of a request that is refused.
    request_record.get().user_id = user.id
    if user.must_change_password and access not in _BEFORE_PASSWORD_CHANGE:
        raise PasswordChangeRequired
    role = _NEEDED_ROLE.get(access)
    if role is not None and not user.role.covers(role):
        raise RoleRequired(role.value)


def knows_api_key() -> bool:
    """Return whether the request carries the API key."""
    return is_api_key(request.headers.get("X-API-Key", ""), shop().settings)


def is_api_key(offered: str, settings: Settings) -> bool:
    """Return whether `offered` is the API key, or the one before it."""
    # In constant time, which tells nothing about how much of a guess was right.
    return any(hmac.compare_digest(offered.encode(), key.encode()) for key in settings.api_keys)


def bears_token(settings: Settings, environ: WSGIEnvironment) -> bool:
    """Return whether a request carries an access token that this shop has signed, before anything else is known."""
    parts = environ.get("HTTP_AUTHORIZATION", "").split()
    keys = (settings.jwt_secret_key, settings.jwt_secret_key_previous)
    return parts[:1] == ["Bearer"] and any(_is_signed(parts[-1], key) for key in keys if key)


def _is_signed(token: str, key: str) -> bool:
    try:
        return bool(decode(token, key, algorithms=["HS256"]).get("type") == "access")
    except PyJWTError:
        return False


def actor() -> str:
    """Return who changes an order, for its history: the user of the token beside the API key, or the key."""
    return g.caller.username if "caller" in g else BY_API_KEY


def caller() -> User:
    """Return the user of this request; only where the route's access asks for one."""
    user: User = g.caller
    return user


def login_id() -> str:
    """Return the id of the login that the caller's token belongs to."""
    return str(get_jwt()["sessao"])


def claimed_login_id() -> str:
    """Return the same before the caller is authorized; empty without a valid access token.

    The login may have ended since: the token tells only whose it is.
    """
    try:
        _verify_token(refresh=False, verify_type=True)
    except (JWTExtendedException, PyJWTError):
        return ""
    return str(get_jwt().get("sessao", ""))


@jwt.decode_key_loader
def _verification_key(_headers: dict[str, Any], _claims: dict[str, Any]) -> str:
    key: str = g.get("verification_key") or shop().settings.jwt_secret_key
    return key


def _verify_token(*, refresh: bool, verify_type: bool) -> None:
    """Verify the request's token by the key that signs, or by the one before it.

    Raises JWTExtendedException or PyJWTError.
    """
    try:
        verify_jwt_in_request(refresh=refresh, verify_type=verify_type)
    except InvalidSignatureError:
        g.verification_key = shop().settings.jwt_secret_key_previous
        if not g.verification_key:
            raise
        verify_jwt_in_request(refresh=refresh, verify_type=verify_type)


def _require_metrics_token() -> None:
    """Raise InvalidToken where METRICS_TOKEN is set and the request does not carry it."""
    token = shop().settings.metrics_token
    offered = request.headers.get("Authorization", "")
    if token and not hmac.compare_digest(offered.encode(), f"Bearer {token}".encode()):
        raise InvalidToken("Token ausente ou inválido: envie Authorization: Bearer <METRICS_TOKEN>.")


def _explain(error: Exception) -> str:
    if isinstance(error, NoAuthorizationError):
        return "Token ausente: envie o cabeçalho Authorization: Bearer <token>."
    if isinstance(error, ExpiredSignatureError):
        return "Token expirado: renove-o ou faça login novamente."
    if isinstance(error, WrongTokenError):
        return "Tipo de token errado: o refresh token só serve para renovar, e só ele renova."
    return "Token inválido."


def _user_id(claims: dict[str, Any]) -> int:
    subject = str(claims.get("sub", ""))
    return int(subject) if subject.isascii() and subject.isdigit() and len(subject) < 10 else -1
