"""What the values of a table of books may be."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from scraper.book import MAX_CATEGORY_CHARACTERS, MAX_DESCRIPTION_CHARACTERS, MAX_UPC_CHARACTERS
from scraper.page_reader import MAX_CHARACTERS, MAX_URL_BYTES

Check = Callable[[str, str], str | None]

_PRICE = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
_STOCK = re.compile(r"[0-9]{1,9}")
_RATING = re.compile(r"[1-5]")
_NOT_UTF_8 = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROLS_OF_DESCRIPTIONS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LONGEST = {
    "upc": MAX_UPC_CHARACTERS,
    "categoria": MAX_CATEGORY_CHARACTERS,
    "descricao": MAX_DESCRIPTION_CHARACTERS,
}


def _wrong_text(value: str, column: str) -> str | None:
    """Return why a text can't be used, None where it can; only a description may be empty, or have lines."""
    description = column == "descricao"
    if not description and not value.strip():
        return "vazia"
    if _NOT_UTF_8.search(value):
        return "não está em UTF-8"
    if (_CONTROLS_OF_DESCRIPTIONS if description else _CONTROLS).search(value):
        return "tem caracteres de controle"
    longest = _LONGEST.get(column, MAX_CHARACTERS)
    return f"tem mais de {longest} caracteres" if len(value) > longest else None


def _wrong_url(value: str, _column: str) -> str | None:
    if not value.strip():
        return "vazia"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or not value.isprintable():
        return "deve ser um endereço http ou https, sem usuário nem senha"
    return f"tem mais de {MAX_URL_BYTES} bytes" if len(value.encode()) > MAX_URL_BYTES else None


def _matching(pattern: re.Pattern[str], reason: str) -> Check:
    """Return a check that a value matches `pattern`, which is not shown to be wrong where it is only missing."""

    def check(value: str, _column: str) -> str | None:
        if pattern.fullmatch(value):
            return None
        return reason if value.strip() else "vazia"

    return check


_price = _matching(_PRICE, "deve ser um preço como 51.77: até 8 algarismos e, depois de um ponto, até 2")
CHECKS: Final[dict[str, Check]] = {
    "categoria": _wrong_text,
    "disponibilidade": _matching(_STOCK, "deve ser um inteiro de 0 a 999999999"),
    "preco_com_taxa": _price,
    "preco_sem_taxa": _price,
    "rating": _matching(_RATING, "deve ser um inteiro de 1 a 5"),
    "titulo": _wrong_text,
    "url_imagem": _wrong_url,
    "upc": _wrong_text,
    "url_produto": _wrong_url,
    "descricao": _wrong_text,
}
"""Tell, by column, why a value can't be used; None where it can."""
