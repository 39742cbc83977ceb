"""`/api/v1/auth`: logins and users."""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_jwt_extended import create_access_token, create_refresh_token, get_jwt

from app.core.accounts import Role
from app.observability.metrics import RequestKind
from app.services.accounts import Login
from app.web.access import Access, caller, login_id
from app.web.context import shop
from app.web.endpoint import operation
from app.web.schemas.accounts import Credentials, Message, NewPassword, NewUser, Tokens

auth = Blueprint("auth", __name__, url_prefix="/api/v1/auth")
NO_STORE = {"Cache-Control": "no-store"}


@auth.post("/login")
@operation(
    "Login e obtenção de tokens",
    description="Erros repetidos são contidos por conta e endereço: 429, com Retry-After.",
    access=Access.PUBLIC,
    body=Credentials(),
    ok="Os tokens da sessão",
    response=Tokens(),
    errors=(401,),
    kind=RequestKind.LOGIN,
    throttled=True,
)
def log_in(body: dict[str, str]) -> ResponseReturnValue:
    return _tokens(shop().accounts.log_in(body["username"], body["password"])), NO_STORE


@auth.post("/refresh")
@operation(
    "Renova o token de acesso",
    description=(
        "Cada refresh token vale uma vez; a resposta traz o próximo. "
        "Reutilizar um já trocado encerra a sessão inteira."
    ),
    access=Access.REFRESH_TOKEN,
    ok="Tokens novos da mesma sessão",
    response=Tokens(),
)
def refresh() -> ResponseReturnValue:
    return _tokens(shop().accounts.renew(login_id(), caller(), str(get_jwt()["jti"])))


@auth.post("/logout")
@operation(
    "Encerra a sessão",
    description="Revoga o token usado e os demais do mesmo login.",
    access=Access.ANY_TOKEN,
    status=204,
    ok="Sessão encerrada",
)
def log_out() -> ResponseReturnValue:
    shop().accounts.log_out(login_id())
    return "", 204


@auth.post("/password")
@operation(
    "Troca a própria senha",
    description=(
        "Encerra as demais sessões do usuário; a que pede a troca continua. Uma senha atual errada é 401, e "
        "erros repetidos são contidos: 429."
    ),
    access=Access.ACCESS_TOKEN,
    body=NewPassword(),
    status=204,
    ok="Senha trocada",
    throttled=True,
)
def change_password(body: dict[str, str]) -> ResponseReturnValue:
    shop().accounts.change_password(caller(), login_id(), body["senha_atual"], body["senha_nova"])
    return "", 204


@auth.post("/newuser")
@operation(
    "Cria um usuário",
    access=Access.ADMIN,
    body=NewUser(),
    status=201,
    ok="Usuário criado",
    response=Message(),
    errors=(409,),
)
def create_user(body: dict[str, str]) -> ResponseReturnValue:
    shop().accounts.create_user(body["username"], body["password"], Role(body["role"]))
    return {"message": "Usuário criado com sucesso!"}, 201


def _tokens(login: Login) -> dict[str, str | bool]:
    identity, session = str(login.user.id), {"sessao": login.id}
    tokens: dict[str, str | bool] = {
        "access_token": create_access_token(identity, additional_claims=session),
        "refresh_token": create_refresh_token(
            identity, additional_claims={**session, "jti": login.refresh_jti}
        ),
    }
    return tokens | ({"deve_trocar_senha": True} if login.user.must_change_password else {})
