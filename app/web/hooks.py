"""What Flask does before and after every view, and what of the request may be logged."""

import re
from collections.abc import Callable, Mapping

from flask import Flask, request

from app.core.orders import is_order_id
from app.observability.logs.masking import mask
from app.observability.metrics import Metrics, RequestKind
from app.web.context import request_record
from app.web.endpoint import operation_of
from app.web.error_handlers import MEANINGS
from app.web.fields import MAX_ID
from app.web.parsing import refuse_other_spellings, refuse_unparsed
from app.web.responses import compress

_MASKED_PART = "*"
_MAX_LOGGED_PARTS = 10
_PARAMETER = re.compile(r"<(?:[^:>]+:)?(?P<name>\w+)>")


def register_hooks(app: Flask, metrics: Metrics) -> None:
    """Describe, check and compress the requests of `app`, and create their series, when all routes are registered."""
    operations = [
        (rule, operation_of(app.view_functions[rule.endpoint])) for rule in app.url_map.iter_rules()
    ]
    for rule, declared in operations:
        errors = declared.error_statuses() if declared is not None else (500,)
        statuses = [*([declared.status] if declared is not None else ()), *errors]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            metrics.create_series(method, rule.rule, statuses, [MEANINGS[status][1] for status in errors])
    words = {part for rule, _ in operations for part in rule.rule.split("/") if "<" not in part}
    kinds = {rule.endpoint: declared.kind for rule, declared in operations if declared is not None}
    app.before_request(_describer(words, kinds))
    app.before_request(refuse_other_spellings)
    app.before_request(refuse_unparsed)
    app.after_request(compress)


def _describer(words: set[str], kinds: Mapping[str, RequestKind | None]) -> Callable[[], None]:
    """Return a hook that writes into the record what is safe to log: nothing that the client made up.

    `words` are the fixed parts of the shop's addresses, `kinds` what the endpoints count.
    """

    def describe_request() -> None:
        record = request_record.get()
        record.path = _loggable_path(words)
        if request.url_rule is not None:
            record.route, record.kind = request.url_rule.rule, kinds.get(request.url_rule.endpoint)

    return describe_request


def _loggable_path(words: set[str]) -> str:
    """Return the path with an asterisk for each part that could be a secret in the wrong place.

    A part is shown where it is an id, the beginning of an order's id, or one of `words`, the fixed parts of the
    shop's own addresses. A password can't be told from another text, so that nothing else is shown.
    """
    if request.url_rule is not None:
        arguments = request.view_args or {}
        return _PARAMETER.sub(lambda match: _argument(arguments.get(match["name"])), request.url_rule.rule)
    parts = request.path.split("/")[1:]
    return "/" + "/".join(part if part in words else _MASKED_PART for part in parts[:_MAX_LOGGED_PARTS])


def _argument(value: object) -> str:
    if isinstance(value, int):
        return str(value) if value <= MAX_ID else _MASKED_PART
    return mask(str(value)) if is_order_id(str(value)) else _MASKED_PART
