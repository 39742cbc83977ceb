"""The declaration of a view, which authorizes its caller, validates its input and makes the OpenAPI document."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import make_response
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.observability.metrics import RequestKind
from app.settings import Settings
from app.web.access import Access, authorize
from app.web.context import shop
from app.web.parsing import read_body, read_query
from app.web.responses import not_modified, tag_catalogue

View = Callable[..., ResponseReturnValue]
ATTRIBUTE: Final = "__operation__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a view declares; `errors` are the statuses beyond those that `access` and the inputs bring."""

    summary: str
    description: str
    access: Access
    query: Schema | None
    body: Schema | None
    request_headers: tuple[str, ...]
    status: int
    ok: str
    response: Schema | dict[str, Any] | None
    response_headers: tuple[str, ...]
    media_type: str
    other_media_types: tuple[str, ...]
    errors: tuple[int, ...]
    versioned: bool
    kind: RequestKind | None
    throttled: bool

    def error_statuses(self) -> tuple[int, ...]:
        """Return every error status the operation may respond with."""
        statuses = {*self.errors, 413, 500}
        if self.query or self.body:
            statuses.add(400)
        if self.body:
            statuses.add(415)
        if self.access is not Access.PUBLIC:
            statuses.add(401)
        if self.access in (Access.OPERATOR, Access.ADMIN, Access.LOGS):
            statuses.add(403)
        return tuple(sorted(statuses))


def operation(
    summary: str,
    *,
    access: Access,
    ok: str,
    description: str = "",
    query: Schema | None = None,
    body: Schema | None = None,
    max_items: Callable[[Settings], int] | None = None,
    request_headers: tuple[str, ...] = (),
    status: int = HTTPStatus.OK,
    response: Schema | dict[str, Any] | None = None,
    response_headers: tuple[str, ...] = (),
    media_type: str = "application/json",
    other_media_types: tuple[str, ...] = (),
    errors: tuple[int, ...] = (),
    versioned: bool = False,
    kind: RequestKind | None = None,
    throttled: bool = False,
) -> Callable[[View], View]:
    """Run a view as declared: it gets `query` and `body`, validated, beside its path parameters.

    `ok` describes the successful response. The response of a `versioned` view depends on the catalogue alone: it
    carries the catalogue's ETag, and the view isn't called for a client that has it. `max_items` bounds an array in
    the body. `kind` names the metrics that
    count the request beside the usual ones; the failures of a `throttled` view are limited per client.
    """
    declared = Operation(
        summary=summary,
        description=description,
        access=access,
        query=query,
        body=body,
        request_headers=request_headers,
        status=int(status),
        ok=ok,
        response=response,
        response_headers=response_headers,
        media_type=media_type,
        other_media_types=other_media_types,
        errors=errors,
        versioned=versioned,
        kind=kind,
        throttled=throttled,
    )

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def run(**arguments: Any) -> ResponseReturnValue:
            authorize(access)
            if query is not None:
                arguments["query"] = read_query(query)
            if body is not None:
                arguments["body"] = read_body(body, max_items and max_items(shop().settings))
            if not versioned:
                return view(**arguments)
            if not errors and (unchanged := not_modified()):
                return unchanged
            response = tag_catalogue(make_response(view(**arguments)))
            # A view that may refuse runs first: 304 stands for 200 only (RFC 9110, 13.2.1).
            return (not_modified() if errors else None) or response

        setattr(run, ATTRIBUTE, declared)
        return run

    return decorate


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Return what `view` declares, or None."""
    declared: Operation | None = getattr(view, ATTRIBUTE, None)
    return declared
