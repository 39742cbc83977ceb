"""The Idempotency-Key header: a request that may be sent again without being done again."""

import hashlib
import re
from typing import Any

import orjson
from flask import request

from app.core.errors import InvalidInput
from app.storage.idempotency import IdempotencyKey

HEADER = "Idempotency-Key"
VALID_KEY = r"^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$"


def idempotency_key(body: Any) -> IdempotencyKey | None:
    """Return the key of this request, None where it has none. Raises InvalidInput.

    `body` is the validated body: its digest is the same however it was written.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not re.fullmatch(VALID_KEY[1:-1], key):
        raise InvalidInput.of(
            HEADER, "deve ter de 1 a 255 caracteres ASCII imprimíveis, sem espaços nas pontas"
        )
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return IdempotencyKey(key, hashlib.sha256(canonical).hexdigest())
