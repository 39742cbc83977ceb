"""`flask users`: the users of the shop, for operators of its machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup
from marshmallow import ValidationError

from app.cli.database import database_errors, existing_database
from app.core.accounts import Account, Role
from app.core.errors import ShopError
from app.services.accounts import Accounts
from app.web.context import shop
from app.web.parsing import invalid_input
from app.web.schemas.accounts import NewUser

EXIT_REFUSED = 1
MAX_LINE_CHARS = 10_000

users = AppGroup("users", help="Create users, replace their passwords, disable them and end their logins.")
username_argument = click.argument("username")


@users.command("create")
@username_argument
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.OPERATOR.value)
def create(username: str, role: str) -> None:
    """Create a user. The password is asked for, or read from the standard input."""
    with _accounts() as accounts:
        new = NewUser().load({"username": username, "password": _read_password(), "role": role})
        user = accounts.create_user(new["username"], new["password"], Role(new["role"]))
        click.echo(f"Usuário '{user.username}' criado, com o papel '{user.role}'.")


@users.command("reset")
@username_argument
def reset(username: str) -> None:
    """Replace a user's password and end its logins. The password is asked for, or read from the standard input."""
    with _accounts() as accounts:
        new = NewUser(only=["password"]).load({"password": _read_password()})
        accounts.reset_password(username, new["password"])
        click.echo(f"Senha de '{username}' trocada; as suas sessões foram encerradas.")


@users.command("disable")
@username_argument
def disable(username: str) -> None:
    """Refuse a user from now on, the open logins included."""
    with _accounts() as accounts:
        accounts.disable(username)
        click.echo(f"Usuário '{username}' desativado; as suas sessões foram encerradas.")


@users.command("enable")
@username_argument
def enable(username: str) -> None:
    """Let a disabled user log in again."""
    with _accounts() as accounts:
        accounts.enable(username)
        click.echo(f"Usuário '{username}' reativado.")


@users.command("logout")
@username_argument
def log_out(username: str) -> None:
    """End a user's logins, after which the user may log in again."""
    with _accounts() as accounts:
        click.echo(f"Sessões encerradas de '{username}': {accounts.log_out_everywhere(username)}.")


@users.command("list")
def list_users() -> None:
    """List the users, one a line: name, role, open logins and remarks, between tabs."""
    with _accounts() as accounts:
        for account in accounts.list_accounts():
            user = account.user
            click.echo(f"{user.username}\t{user.role}\t{_logins(account)}\t{_remarks(account)}")


@contextmanager
def _accounts() -> Iterator[Accounts]:
    """Yield the shop's accounts; exit with EXIT_REFUSED, after a sentence, where the block is refused."""
    existing_database()
    with database_errors():
        try:
            yield shop().accounts
        except (ShopError, ValidationError) as error:
            refusal = invalid_input(error) if isinstance(error, ValidationError) else error
            click.echo(refusal.detail, err=True)
            raise SystemExit(EXIT_REFUSED) from None


def _read_password() -> str:
    """Return the password, which is never an argument: other users of the machine can read those."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(MAX_LINE_CHARS).rstrip("\r\n")
    password: str = click.prompt("Senha", hide_input=True, confirmation_prompt="Repita a senha")
    return password


def _logins(account: Account) -> str:
    return f"{account.logins} {'sessão' if account.logins == 1 else 'sessões'}"


def _remarks(account: Account) -> str:
    remarks = {
        "desativado": account.disabled_at is not None,
        "deve trocar a senha": account.user.must_change_password,
        "nome repetido": account.duplicated,
    }
    return ", ".join(remark for remark, holds in remarks.items() if holds)
