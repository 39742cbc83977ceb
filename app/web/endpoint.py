"""The declaration of a view, which authorizes its caller, validates its input and makes the OpenAPI document."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final

from flask import make_response, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.observability.metrics import RequestKind
from app.settings import Settings
from app.web.access import Access, authorize
from app.web.context import catalogue, request_record, shop
from app.web.fields import RequestSchema
from app.web.parsing import read_body, read_query
from app.web.responses import not_modified, tag_source
from app.web.versions import DependsOn, Source

_NEVER_FORBIDDEN: Final = (Access.PUBLIC, Access.METRICS, Access.ACCESS_TOKEN, Access.ANY_TOKEN)
View = Callable[..., ResponseReturnValue]
ATTRIBUTE: Final = "__operation__"
_NO_PARAMETERS: Final = RequestSchema()


@dataclass(frozen=True, slots=True)
class operation:  # noqa: N801 - a decorator
    """Run a view as declared: it gets `query` and `body`, validated, beside its path parameters.

    `ok` describes the successful response; `errors` are the statuses beyond those that `access` and the inputs bring.
    `max_items` bounds an array in the body. A body that is no JSON is the view's to read: `body_types` are the schemas
    of its media types. `links` names the operations that the response leads to, by their ids in
    the document, and where it holds their parameters. The response of a `versioned` view depends on that part of the
    catalogue alone: it carries an ETag of it, and the view isn't called for a client that has it. Of the others, no
    cache may keep any that is not public. `kind` names the metrics that count the request beside the usual ones; the
    failures of a `throttled` view are limited per client, and so are the requests to one that `starts_run`.
    """

    summary: str
    _: KW_ONLY
    access: Access
    ok: str
    description: str = ""
    query: Schema | None = None
    body: Schema | None = None
    max_items: Callable[[Settings], int] | None = None
    body_types: Mapping[str, Any] | None = None
    request_headers: tuple[str, ...] = ()
    status: int = 200
    response: Schema | dict[str, Any] | None = None
    response_headers: tuple[str, ...] = ()
    links: Mapping[str, Mapping[str, str]] | None = None
    media_type: str = "application/json"
    other_media_types: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    versioned: DependsOn | None = None
    kind: RequestKind | None = None
    throttled: bool = False
    starts_run: bool = False

    def __call__(self, view: View) -> View:
        @functools.wraps(view)
        def run(**arguments: Any) -> ResponseReturnValue:
            if self.access is not Access.PUBLIC:
                authorize(self.access)
            if self.query is not None:
                arguments["query"] = read_query(self.query)
            elif request.query_string:
                read_query(_NO_PARAMETERS)
            if self.body is not None:
                arguments["body"] = read_body(self.body, self.max_items and self.max_items(shop().settings))
            if self.versioned is None:
                response = make_response(view(**arguments))
                if self.access is not Access.PUBLIC:
                    response.headers.setdefault("Cache-Control", "no-store")
                return response
            # A view that may refuse runs first: 304 stands for 200 only (RFC 9110, 13.2.1).
            made = make_response(view(**arguments)) if self.errors else None
            source = Source.of(catalogue(), self.versioned, arguments.get("book_idx"))
            request_record.get().source = source
            return not_modified(source) or tag_source(made or make_response(view(**arguments)), source)

        setattr(run, ATTRIBUTE, self)
        return run

    def error_statuses(self) -> tuple[int, ...]:
        """Return every error status of the operation."""
        statuses = {*self.errors, 400, 413, 414, 500, 503}
        if self.body or self.body_types:
            statuses |= {408, 415}
        if self.access is not Access.PUBLIC:
            statuses.add(401)
        if self.access not in _NEVER_FORBIDDEN:
            statuses.add(403)
        return tuple(sorted(statuses))


def operation_of(view: Callable[..., Any]) -> operation | None:
    """Return what `view` declares, or None."""
    declared: operation | None = getattr(view, ATTRIBUTE, None)
    return declared
