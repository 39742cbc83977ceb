"""The Idempotency-Key header: a request that may be sent again without being done again."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson
from flask import request

from app.core.errors import InvalidInput
from app.storage.idempotency import KeyUse

HEADER = "Idempotency-Key"
_SANE_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def key_use(body: Any) -> KeyUse | None:
    """The key of this request and what it came with; None where it has none. Raises InvalidInput.

    `body` is the body as it was understood: two are the same that mean the same, however they are written.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _SANE_KEY.fullmatch(key):
        raise InvalidInput.of(
            HEADER, "deve ter de 1 a 255 caracteres ASCII imprimíveis, sem espaços nas pontas"
        )
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return KeyUse(key, hashlib.sha256(canonical).hexdigest())
