"""Logins and users."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates

from app.core.accounts import MAX_PASSWORD_CHARS, RESERVED_USERNAMES, Role, composed, username_key
from app.web.fields import OneOf, PrintableText, RequestSchema, Text

_PASSWORD = {"example": "1234", "format": "password"}


class Username(PrintableText):
    """A name in the form in which it is stored, so that its length is the column's."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(
            composed(value) if isinstance(value, str) else value, attr, data, **kwargs
        )


class Credentials(RequestSchema):
    username = Text(required=True, low=1, high=80, metadata={"example": "admin"})
    password = Text(required=True, low=1, high=MAX_PASSWORD_CHARS, metadata=_PASSWORD)


class NewUser(Credentials):
    username = Username(required=True, low=1, high=80, metadata={"example": "admin6"})
    password = Text(
        required=True,
        low=1,
        high=MAX_PASSWORD_CHARS,
        metadata={
            "example": "12345",
            "format": "password",
            "description": "Pelo menos 4 caracteres em desenvolvimento e 8 em produção",
        },
    )
    role = OneOf(*Role, load_default=Role.OPERATOR.value, metadata={"description": "O papel do novo usuário"})

    @validates("username")
    def refuse_reserved_names(self, username: str, **_kwargs: Any) -> None:
        if username_key(username) in RESERVED_USERNAMES:
            raise ValidationError("é um nome reservado pela loja")


class NewPassword(RequestSchema):
    senha_atual = Text(
        required=True, low=1, high=MAX_PASSWORD_CHARS, metadata={**_PASSWORD, "example": "a senha de agora"}
    )
    senha_nova = Text(
        required=True, low=1, high=MAX_PASSWORD_CHARS, metadata={**_PASSWORD, "example": "outra bem melhor"}
    )


class Tokens(Schema):
    access_token = fields.String(required=True, metadata={"description": "Vale 15 minutos"})
    refresh_token = fields.String(
        required=True,
        metadata={"description": "Vale 30 dias e um só uso: a renovação devolve o próximo"},
    )
    deve_trocar_senha = fields.Boolean(
        metadata={
            "description": "Só presente, e true, quando a senha inicial precisa ser trocada: até lá, os tokens só "
            "servem em POST /api/v1/auth/password e no logout",
        },
    )


class Message(Schema):
    message = fields.String(required=True, metadata={"example": "Usuário criado com sucesso!"})
