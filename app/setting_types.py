"""The types of settings: what turns their text into a value, or raises ValueError with a sentence."""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from urllib.parse import urlsplit

from app.core.accounts import MAX_PASSWORD_CHARS
from app.core.schedule import Cron, parse_expression, parse_zone

MAX_ORIGINS = 100
_PLAIN = re.compile("^postgres(ql)?://")
_SQLITE_FILE = re.compile(r"sqlite:///(/|[A-Za-z]:[/\\])")
_ORIGIN = re.compile(r"http://[a-z0-9.-]+(:(?!80\b)\d{1,5})?|https://[a-z0-9.-]+(:(?!443\b)\d{1,5})?")


def text(value: str) -> str:
    if not value:
        raise ValueError("não pode ficar vazio")
    return value


def header_value(value: str) -> str:
    """Return text that can be sent in a header unambiguously. Raises ValueError."""
    if not value.isascii() or not value.isprintable():
        raise ValueError("deve ter só caracteres ASCII imprimíveis")
    return text(value)


def optional_header_value(value: str) -> str:
    return header_value(value) if value else ""


def password(value: str) -> str:
    """Return a password that a login accepts. Raises ValueError."""
    if not 1 <= len(value) <= MAX_PASSWORD_CHARS:
        raise ValueError(f"deve ter de 1 a {MAX_PASSWORD_CHARS} caracteres")
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise ValueError("tem caracteres de controle")
    return value


def origins(value: str) -> tuple[str, ...]:
    """Return origins as browsers send them, which leave out a scheme's usual port. Raises ValueError."""
    origins = tuple(part.strip() for part in value.split(",")) if value else ()
    if len(origins) > MAX_ORIGINS or not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError(
            f"deve listar até {MAX_ORIGINS} origens exatas, como https://loja.example, separadas por vírgulas"
        )
    return origins


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"deve ser {' ou '.join(choices)}")
        return value

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > 12 or not low <= int(value) <= high:
            raise ValueError(f"deve ser um inteiro de {low} a {high}")
        return int(value)

    return parse


def optional_integer(low: int, high: int) -> Callable[[str], int | None]:
    parse = integer(low, high)
    return lambda value: parse(value) if value else None


def decimal(low: str, high: str) -> Callable[[str], Decimal]:
    def parse(value: str) -> Decimal:
        try:
            number = Decimal("NaN" if "_" in value else value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not (number.is_finite() and Decimal(low) <= number <= Decimal(high)):
            raise ValueError(f"deve ser um número de {low} a {high}")
        return number

    return parse


def share(value: str) -> Decimal:
    return decimal("0", "1")(value)


def yes_no(value: str) -> bool | None:
    """Return None for an empty value. Raises ValueError."""
    words = {"true": True, "1": True, "false": False, "0": False, "": None}
    if value.lower() not in words:
        raise ValueError("deve ser true ou false")
    return words[value.lower()]


def address(value: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if value == "localhost" else value))
    except ValueError:
        raise ValueError("deve ser um endereço IP, como 127.0.0.1 ou 0.0.0.0") from None


def database_url(value: str) -> str:
    """Return an address for SQLAlchemy, also of one as platforms give it. Raises ValueError."""
    value = _PLAIN.sub("postgresql+psycopg://", value)
    if value.startswith("postgresql+psycopg://"):
        _check_port(value)
    elif value and not _SQLITE_FILE.match(value):
        raise ValueError("deve começar com sqlite:////caminho/absoluto ou postgresql+psycopg://")
    if ":memory:" in value:
        raise ValueError("deve nomear um arquivo: nenhuma outra conexão vê um banco em memória")
    return value


def redis_url(value: str) -> str:
    if value:
        if not value.startswith(("redis://", "rediss://")) or not urlsplit(value).hostname:
            raise ValueError("deve ser um endereço redis:// ou rediss://")
        _check_port(value)
    return value


def _check_port(url: str) -> None:
    try:
        usable = urlsplit(url).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("tem uma porta impossível")


def schedule(value: str) -> Cron | None:
    """Return a cron expression, in UTC unless `CRON_TZ=` before it names another zone. Raises ValueError."""
    if not value:
        return None
    zone, expression = "UTC", value
    if value.startswith("CRON_TZ="):
        zone, _, expression = value.removeprefix("CRON_TZ=").partition(" ")
    try:
        zone = parse_zone(zone)
    except ValueError as error:
        raise ValueError(f"tem em CRON_TZ o que {error}") from None
    return Cron(parse_expression(expression), zone)


def http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("deve ser um endereço http:// ou https://")
    return value
