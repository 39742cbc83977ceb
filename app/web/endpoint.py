"""The declaration of a view, which authorizes its caller, validates its input and makes the OpenAPI document."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.observability.metrics import RequestKind
from app.settings import Settings
from app.web.access import Access, authorize
from app.web.context import catalogue, request_record, shop
from app.web.fields import RequestSchema
from app.web.formats import Format, preferred_format
from app.web.parsing import read_body, read_query
from app.web.past import PastQuery, is_settled, look_back
from app.web.responses import not_modified, tag_source
from app.web.rows import Rows
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
    of its media types. `links` names the operations that the response leads to, by their ids in the document, and
    where it holds their parameters. A list with a `table`, the name of its file, may also be had as CSV or NDJSON: its
    query is a FormatQuery, its view returns Rows, its columns are the keys of `response`. The response of a `versioned`
    view depends on that part of the catalogue alone: it carries an ETag of it, and the view isn't called for a client
    that has it. Of the others, no cache may keep any that is not public. `kind` names the metrics that count the
    request beside the usual ones; the failures of a `throttled` view are limited per client, and so are the requests
    to one that `starts_run`.

    A `versioned` view whose query has `em` never sees it: for it, `catalogue` returns the past one. A view gets no
    `query` that has `em` alone.
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
    table: str = ""
    errors: tuple[int, ...] = ()
    versioned: DependsOn | None = None
    kind: RequestKind | None = None
    throttled: bool = False
    starts_run: bool = False

    def __call__(self, view: Callable[..., ResponseReturnValue | Rows]) -> View:
        @functools.wraps(view)
        def run(**arguments: Any) -> ResponseReturnValue:
            if self.access is not Access.PUBLIC:
                authorize(self.access)
            as_of = None
            if self.query is not None:
                query = read_query(self.query)
                as_of = query.pop("em", None)
                if type(self.query) is not PastQuery:
                    arguments["query"] = query
            elif request.query_string:
                read_query(_NO_PARAMETERS)
            if self.body is not None:
                arguments["body"] = read_body(self.body, self.max_items and self.max_items(shop().settings))
            output = self._choose_format(arguments["query"]) if self.table else Format.JSON
            if self.versioned is None:
                response = self._respond(view(**arguments), output)
                if self.access is not Access.PUBLIC:
                    response.headers.setdefault("Cache-Control", "no-store")
                return response
            if as_of is not None:
                look_back(as_of, arguments.get("book_idx"))
            # A view that may refuse runs first: 304 stands for 200 only (RFC 9110, 13.2.1).
            content = view(**arguments) if self.errors else None
            source = Source.of(catalogue(), self.versioned, arguments.get("book_idx"), output)
            told_apart = output is Format.JSON or "formato" in request.args  # by the address
            if told_apart and (as_of is None or is_settled(as_of)):
                request_record.get().source = source
            unchanged = not_modified(source)
            if unchanged is not None:
                return self._vary(unchanged)
            return tag_source(self._respond(content or view(**arguments), output), source)

        setattr(run, ATTRIBUTE, self)
        return run

    def _choose_format(self, query: dict[str, Any]) -> Format:
        """Return the format of the response, which the view finds in its query too."""
        asked = query.get("formato")
        output = Format(asked) if asked else preferred_format(request.headers.get("Accept"))
        query["formato"] = output
        return output

    def _respond(self, content: ResponseReturnValue | Rows, output: Format) -> Response:
        if not isinstance(content, Rows):
            return self._vary(make_response(content))
        columns = tuple(self.response.fields) if isinstance(self.response, Schema) else ()
        return self._vary(content.response(output, columns, self.table))

    def _vary(self, response: Response) -> Response:
        if self.table:
            response.vary.add("Accept")
        return response

    def error_statuses(self) -> tuple[int, ...]:
        """Return every error status of the operation."""
        statuses = {*self.errors, 400, 413, 414, 500, 503}
        if isinstance(self.query, PastQuery):
            statuses.add(404)
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
