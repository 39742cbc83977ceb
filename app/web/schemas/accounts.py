"""Logins and users."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates

from app.core.accounts import RESERVED_USERNAMES, Role
from app.web.fields import OneOf, PrintableText, RequestSchema, Text

PASSWORD_MAX = 128


class Credentials(RequestSchema):
    username = Text(required=True, low=1, high=80, metadata={"example": "admin"})
    password = Text(
        required=True, low=1, high=PASSWORD_MAX, metadata={"example": "1234", "format": "password"}
    )


class NewUser(Credentials):
    username = PrintableText(required=True, low=1, high=80, metadata={"example": "admin6"})
    password = Text(
        required=True,
        low=1,
        high=PASSWORD_MAX,
        metadata={
            "example": "12345",
            "format": "password",
            "description": "Pelo menos 4 caracteres em desenvolvimento e 8 em produção",
        },
    )
    role = OneOf(*Role, load_default=Role.OPERATOR.value, metadata={"description": "O papel do novo usuário"})

    @validates("username")
    def refuse_reserved_names(self, username: str, **_kwargs: Any) -> None:
        if username.casefold() in RESERVED_USERNAMES:
            raise ValidationError("é um nome reservado pela loja")


class Tokens(Schema):
    access_token = fields.String(required=True, metadata={"description": "Vale 15 minutos"})
    refresh_token = fields.String(
        required=True,
        metadata={"description": "Vale 30 dias e um só uso: a renovação devolve o próximo"},
    )


class Message(Schema):
    message = fields.String(required=True, metadata={"example": "Usuário criado com sucesso!"})
