"""JSON as clients of the seeds know it: UTF-8, without escapes."""

from __future__ import annotations

from typing import Any

import orjson
from flask.json.provider import JSONProvider


class UnescapedJson(JSONProvider):
    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)
