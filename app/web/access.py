"""Access to routes: every route declares it in its `operation`."""

import hmac
from enum import StrEnum
from typing import Any

from flask import g, request
from flask_jwt_extended import get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException, NoAuthorizationError, WrongTokenError
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from app.core.accounts import BY_API_KEY, Role, User
from app.core.errors import Forbidden, InvalidToken, Unauthenticated
from app.web.context import request_record, shop


class Access(StrEnum):
    """What a route asks of its caller; `LOGS` is `PUBLIC` or `OPERATOR`, as the setting LOGS_PUBLIC says."""

    PUBLIC = "public"
    REFRESH_TOKEN = "refresh token"  # noqa: S105
    ANY_TOKEN = "any token"  # noqa: S105
    OPERATOR = "operator"
    ADMIN = "admin"
    LOGS = "logs"
    API_KEY = "API key"


class InvalidApiKey(Unauthenticated):
    detail = "Chave de API ausente ou inválida: envie o cabeçalho X-API-Key."


_NEEDED_ROLE = {Access.OPERATOR: Role.OPERATOR, Access.ADMIN: Role.ADMIN}


def authorize(access: Access) -> None:
    """Set the request's `caller()`. Raises InvalidToken, InvalidApiKey or Forbidden."""
    if access is Access.LOGS:
        access = Access.PUBLIC if shop().settings.logs_public else Access.OPERATOR
    if access is Access.PUBLIC:
        return
    if access is Access.API_KEY:
        if not knows_api_key():
            raise InvalidApiKey
        if request.headers.get("Authorization", "").partition(" ")[0] != "Bearer":
            return  # the key is enough; a token beside it names the user
    try:
        verify_jwt_in_request(
            refresh=access is Access.REFRESH_TOKEN, verify_type=access is not Access.ANY_TOKEN
        )
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
    role = _NEEDED_ROLE.get(access)
    if role is not None and not user.role.covers(role):
        raise Forbidden(role.value)


def knows_api_key() -> bool:
    """Return whether the request carries the API key."""
    offered, expected = request.headers.get("X-API-Key", ""), shop().settings.api_key
    # In constant time, which tells nothing about how much of a guess was right.
    return hmac.compare_digest(offered.encode(), expected.encode())


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
