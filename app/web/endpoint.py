"""What a view declares about itself, once: who may call it, what comes in and what goes out.

The declaration admits the caller, validates the input and makes the OpenAPI document, so that the three can't
drift apart. The factory refuses a route that has none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import make_response
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from app.web.access import Access, admit
from app.web.fields import read_body, read_query
from app.web.responses import answer_if_changed

View = Callable[..., ResponseReturnValue]
ATTRIBUTE: Final = "__operation__"


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: what it means, its body, and the headers that come with it."""

    description: str
    body: Schema | dict[str, Any] | None = None
    media_type: str = "application/json"
    headers: tuple[str, ...] = ()
    other_media_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`errors` names the statuses beyond those that `access` and the inputs bring with them."""

    tag: str
    summary: str
    access: Access
    answers: dict[int, Answer]
    query: Schema | None = None
    body: Schema | None = None
    request_headers: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    description: str = ""
    versioned: bool = False

    def error_statuses(self) -> tuple[int, ...]:
        """Every error status the operation may answer."""
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


def operation(declared: Operation) -> Callable[[View], View]:
    """Run a view as `declared`: it gets `query` and `body`, validated, beside its path parameters.

    A versioned one answers from the catalogue alone: its answers carry the catalogue's ETag.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def run(**arguments: Any) -> ResponseReturnValue:
            admit(declared.access)
            if declared.query is not None:
                arguments["query"] = read_query(declared.query)
            if declared.body is not None:
                arguments["body"] = read_body(declared.body)
            answer = view(**arguments)
            return answer_if_changed(make_response(answer)) if declared.versioned else answer

        setattr(run, ATTRIBUTE, declared)
        return run

    return decorate


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What `view` declares, if it does."""
    declared: Operation | None = getattr(view, ATTRIBUTE, None)
    return declared
