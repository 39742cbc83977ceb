"""Who may call a route. Every route says so in its `operation`; one that doesn't can't be registered."""

from __future__ import annotations

import hmac
from enum import StrEnum
from typing import Any

from flask import g, request
from flask_jwt_extended import get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException, NoAuthorizationError, WrongTokenError
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from app.core.accounts import BY_API_KEY, Role, User
from app.core.errors import Forbidden, InvalidToken, Unauthenticated
from app.web.context import shop


class Access(StrEnum):
    """What a route asks of its caller; the values are the security schemes of the OpenAPI document.

    `LOGS` is `PUBLIC` or `OPERATOR`, as the setting LOGS_PUBLIC says.
    """

    PUBLIC = "public"
    LOGGED_IN = "tokenDeAcesso"
    REFRESH_TOKEN = "tokenDeRenovacao"  # noqa: S105 - the name of a scheme
    ANY_TOKEN = "qualquerToken"  # noqa: S105
    OPERATOR = "operador"
    ADMIN = "admin"
    LOGS = "logs"
    API_KEY = "chaveDeApi"


class InvalidApiKey(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Chave de API ausente ou inválida: envie o cabeçalho X-API-Key.")


_NEEDED_ROLE = {Access.OPERATOR: Role.OPERATOR, Access.ADMIN: Role.ADMIN}


def authorize(access: Access) -> None:
    """Let the request pass or raise InvalidToken, InvalidApiKey or Forbidden; afterwards `caller()` is known."""
    if access is Access.LOGS:
        access = Access.PUBLIC if shop().settings.logs_public else Access.OPERATOR
    if access is Access.PUBLIC:
        return
    if access is Access.API_KEY:
        if not knows_api_key():
            raise InvalidApiKey
        if request.headers.get("Authorization", "").partition(" ")[0] != "Bearer":
            return  # the key alone will do; a token beside it says who it is
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
    g.caller = user  # also where the role is not enough: the log says whose request was refused
    needed = _NEEDED_ROLE.get(access)
    if needed is not None and not user.role.covers(needed):
        raise Forbidden(needed.value)


def knows_api_key() -> bool:
    """Whether the request carries the API key, on whatever route."""
    offered, expected = request.headers.get("X-API-Key", ""), shop().settings.api_key
    # In constant time, so that the time of an answer doesn't tell how much of a guess was right.
    return hmac.compare_digest(offered.encode(), expected.encode())


def actor() -> str:
    """Who changes an order, for its history: the user of the token beside the API key, or just the key."""
    return g.caller.username if "caller" in g else BY_API_KEY


def caller() -> User:
    """The user who makes this request; only where the route's access asks for one."""
    user: User = g.caller
    return user


def login_id() -> str:
    """The login that the caller's token descends from."""
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
