"""What may be told about a request, in logs: nothing that its client made up."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from flask import current_app, g, request
from werkzeug.routing import Map

from app.core.orders import is_order_id
from app.observability.logs.masking import mask
from app.observability.metrics import METHODS, UNMATCHED
from app.web.fields import MAX_ID

_LEFT_OUT: Final = "*"
_MAX_SEGMENTS = 10
_PARAMETER = re.compile(r"<(?:[^:>]+:)?(?P<name>\w+)>")


def route() -> str:
    """The template of the route that answers, such as `/api/v1/books/<int:book_idx>`."""
    return request.url_rule.rule if request.url_rule is not None else UNMATCHED


def path() -> str:
    """The path with an asterisk for each part that could be a secret in the wrong place.

    A part is shown where it is an id, the beginning of an order's id, or a word of the shop's own addresses. No look
    at a text tells that it is no password, so that nothing else is shown, least of all of an unknown address.
    """
    if request.url_rule is not None:
        arguments = request.view_args or {}
        return _PARAMETER.sub(lambda found: _argument(arguments.get(found["name"])), request.url_rule.rule)
    words = _words(current_app.url_map)
    parts = request.path.split("/")[1:]
    shown_parts = [part if part in words else _LEFT_OUT for part in parts[:_MAX_SEGMENTS]]
    return "/" + "/".join(shown_parts)


def method() -> str:
    """One of HTTP's methods, or `other`."""
    return request.method if request.method in METHODS else "other"


def remote_address() -> str | None:
    """Where the request came from; None where a proxy says something that is no address."""
    try:
        return str(ip_address(request.remote_addr or ""))
    except ValueError:
        return None


def user_id() -> int | None:
    """Whose token came with the request, if one did and was good."""
    return g.caller.id if "caller" in g else None


def _argument(value: object) -> str:
    if isinstance(value, int):
        return str(value) if value <= MAX_ID else _LEFT_OUT
    return mask(str(value)) if is_order_id(str(value)) else _LEFT_OUT


def _words(urls: Map) -> set[str]:
    """The fixed parts of all addresses."""
    return {part for rule in urls.iter_rules() for part in rule.rule.split("/") if "<" not in part}
