"""`/api/v1/auth`: logins and users."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_jwt_extended import create_access_token, create_refresh_token, get_jwt

from app.core.accounts import RESERVED_USERNAMES, Role, min_password_length
from app.core.errors import InvalidInput
from app.services.accounts import Login
from app.web.access import Access, caller, login_id
from app.web.context import shop
from app.web.endpoint import Answer, Operation, operation
from app.web.schemas.accounts import Credentials, Message, NewUser, Tokens

auth = Blueprint("auth", __name__, url_prefix="/api/v1/auth")
TAG = "Autenticação"
NO_STORE = {"Cache-Control": "no-store"}


@auth.post("/login")
@operation(
    Operation(
        tag=TAG,
        summary="Login e obtenção de tokens",
        description="Erros repetidos são contidos por conta e endereço: 429, com Retry-After.",
        access=Access.PUBLIC,
        body=Credentials(),
        answers={200: Answer("Os tokens da sessão", Tokens())},
        errors=(401, 429),
    )
)
def log_in(body: dict[str, str]) -> ResponseReturnValue:
    return _tokens(shop().accounts.log_in(body["username"], body["password"])), NO_STORE


@auth.post("/refresh")
@operation(
    Operation(
        tag=TAG,
        summary="Renova o token de acesso",
        description=(
            "Cada refresh token vale uma vez; a resposta traz o próximo. "
            "Reutilizar um já trocado encerra a sessão inteira."
        ),
        access=Access.REFRESH_TOKEN,
        answers={200: Answer("Tokens novos da mesma sessão", Tokens())},
    )
)
def refresh() -> ResponseReturnValue:
    return _tokens(shop().accounts.renew(login_id(), caller(), str(get_jwt()["jti"]))), NO_STORE


@auth.post("/logout")
@operation(
    Operation(
        tag=TAG,
        summary="Encerra a sessão",
        description="Revoga o token usado e os demais do mesmo login.",
        access=Access.ANY_TOKEN,
        answers={204: Answer("Sessão encerrada")},
    )
)
def log_out() -> ResponseReturnValue:
    shop().accounts.log_out(login_id())
    return "", 204


@auth.post("/newuser")
@operation(
    Operation(
        tag=TAG,
        summary="Cria um usuário",
        access=Access.ADMIN,
        body=NewUser(),
        answers={201: Answer("Usuário criado", Message())},
        errors=(409,),
    )
)
def create_user(body: dict[str, str]) -> ResponseReturnValue:
    shortest = min_password_length(production=shop().settings.production)
    if len(body["password"]) < shortest:
        raise InvalidInput.of("password", f"deve ter pelo menos {shortest} caracteres")
    if body["username"].casefold() in RESERVED_USERNAMES:
        raise InvalidInput.of("username", "é um nome reservado pela loja")
    shop().accounts.create_user(body["username"], body["password"], Role(body["role"]))
    return {"message": "Usuário criado com sucesso!"}, 201


def _tokens(login: Login) -> dict[str, str]:
    identity, session = str(login.user.id), {"sessao": login.id}
    return {
        "access_token": create_access_token(identity, additional_claims=session),
        "refresh_token": create_refresh_token(
            identity, additional_claims={**session, "jti": login.refresh_jti}
        ),
    }
