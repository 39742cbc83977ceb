"""Makes foreign text safe to log: without secrets, and without characters that move a terminal."""

import json
import re

HIDDEN = "[oculto]"
MAX_TEXT = 2_000
"""How many characters of a field are logged: its first."""
MAX_TRACE = 16_000
"""How many characters of an exception's trace are logged: its last."""

_HARMLESS = re.compile(r"[a-z_]{1,60}|[0-9.]{1,12}", re.ASCII)
"""Texts that none of the patterns below can match, as most are: the names of events and outcomes, and amounts."""
_ORDER_ID = re.compile(r"\bORDER-([A-Z2-7]{6})[A-Z2-7]{20}\b")
_JWT = r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}"
_CARD = r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.])"
# Each begins only where a run of its own characters does: from further places in it, time would grow by its square.
_MIXED_KEY = r"(?<![\w+=-])(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])(?=[\w+=-]*\d)[\w+=-]{20,}"
_IN_LONG_KEY = "[A-Za-z0-9+=-]"
_LONG_KEY = (
    rf"(?<!{_IN_LONG_KEY})(?={_IN_LONG_KEY}*[A-Za-z])(?={_IN_LONG_KEY}*\d){_IN_LONG_KEY}{{24,}}(?![\w-])"
)
_SECRET = re.compile("|".join((_JWT, _CARD, _MIXED_KEY, _LONG_KEY)), re.ASCII)
_OFFERED_SECRET = re.compile("|".join((_JWT, _CARD, _MIXED_KEY)), re.ASCII)
_NAMED_SECRET = re.compile(
    r"((?:password|passwd|senha|secret|token|cookie|authorization|api[-_ ]?key|credential)\w*+[\"']?\s*[:=]\s*)"
    r"(?:Bearer\s+|ApiKey\s+|Basic\s+)?(\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Bearer|Basic|ApiKey)\s+[^\s,;\"']+", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*):[^\s/@]+@")
# What a database or Python quotes is a value: PostgreSQL's "DETAIL: Key (username)=(...) already exists.",
# int()'s "invalid literal ...: '12x'". Lines that begin with a space are the shop's own source.
_DETAIL = re.compile(r"^DETAIL:.*$", re.MULTILINE)
_QUOTED_VALUE = re.compile(r"^(?=\S)(?!File ).*$", re.MULTILINE)
_QUOTED = re.compile(r"'[^'\n\d]*\d[^'\n]*'")


def mask(text: str) -> str:
    """Return at most `MAX_TEXT` characters of `text`, without what looks like a secret.

    An order's id, which is the permission to see the order, is shortened: enough stays to tell it from others.
    """
    if _HARMLESS.fullmatch(text):
        return text
    text = text.encode(errors="replace").decode()
    return _mask(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…")


def mask_trace(trace: str) -> str:
    """Return the end of an exception's trace, without the values that its messages carry."""
    text = trace.encode(errors="replace").decode()[-MAX_TRACE:]
    text = _DETAIL.sub(f"DETAIL: {HIDDEN}", text)
    text = _QUOTED_VALUE.sub(lambda line: _QUOTED.sub(f"'{HIDDEN}'", line[0]), text)
    return _mask(text)


def looks_secret(text: str) -> bool:
    """Return whether `text` holds a JWT, a card's number or a key; a UUID or another usual id is none of them."""
    return _OFFERED_SECRET.search(text) is not None


def in_one_line(text: str) -> str:
    """Return `text` with escapes for all that could end a line, move a cursor or turn the direction of reading."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _mask(text: str) -> str:
    text = _NAMED_SECRET.sub(rf"\1{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
    return _SECRET.sub(HIDDEN, _ORDER_ID.sub(r"ORDER-\1…", text))
