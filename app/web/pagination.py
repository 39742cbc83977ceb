"""Pages of a list: `page`, `per_page`, `X-Total-Count` and `Link` (RFC 8288)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request

from app.core.catalogue import SORT_COLUMNS
from app.core.errors import InvalidInput
from app.web.context import shop
from app.web.fields import BoundedInteger, OneOf, RequestSchema
from app.web.formats import TABULAR, FormatQuery

DEFAULT_PER_PAGE = 20
MAX_PER_PAGE = 1_000
MAX_UNPAGED = 10 * MAX_PER_PAGE
"""Items of a list that is asked for whole; what is beyond begins at a page of MAX_PER_PAGE."""
UNPAGED = (
    f"Uma lista de mais de {MAX_UNPAGED} livros, pedida sem `page` nem `per_page`, traz os primeiros {MAX_UNPAGED}, "
    f"e o `next` de `Link` continua logo depois deles, em páginas de {MAX_PER_PAGE}."
)
UNPAGED_TABLES = f"{UNPAGED} Em CSV e NDJSON, ela vem inteira."
HEADERS = ("X-Total-Count", "Link")


class PageQuery(RequestSchema):
    """A page of a list; without parameters, the whole list, up to MAX_UNPAGED items."""

    page = BoundedInteger(
        low=1, high=1_000_000, metadata={"description": "Página, a partir de 1", "example": 1}
    )
    per_page = BoundedInteger(
        low=1,
        high=MAX_PER_PAGE,
        metadata={"description": "Itens por página (até MAX_PER_PAGE)", "example": 20},
    )


class SortedPageQuery(PageQuery, FormatQuery):
    sort = OneOf(*SORT_COLUMNS, load_default="id", metadata={"description": "Campo da ordenação"})
    order = OneOf("asc", "desc", load_default="asc", metadata={"description": "Sentido da ordenação"})


def _unpaged(most: int) -> int:
    """Return how many items a whole list shows, in full pages of `most`."""
    return MAX_UNPAGED // most * most


def page_bounds(query: Mapping[str, Any], total: int) -> tuple[int, int]:
    """Return the first row of the page asked for, and the first row after it. Raises InvalidInput."""
    most = shop().settings.max_per_page
    if "page" not in query and "per_page" not in query:
        return 0, total if query.get("formato") in TABULAR else min(total, _unpaged(most))
    per_page = items_asked_for(query, "per_page")
    first = (query.get("page", 1) - 1) * per_page
    return first, first + per_page


def items_asked_for(query: Mapping[str, Any], name: str) -> int:
    """Return how many items a page may have, as the parameter `name` says. Raises InvalidInput."""
    most = shop().settings.max_per_page
    items: int = query.get(name, min(DEFAULT_PER_PAGE, most))
    if items > most:
        raise InvalidInput.of(name, f"deve ser um inteiro de 1 a {most}")
    return items


def page_headers(query: Mapping[str, Any], total: int) -> dict[str, str]:
    """Return the headers of a page of a list of `total` items."""
    headers = {"X-Total-Count": str(total)}
    most = shop().settings.max_per_page
    per_page, page = query.get("per_page", min(DEFAULT_PER_PAGE, most)), query.get("page", 1)
    following = page + 1
    if "page" not in query and "per_page" not in query:
        if total <= _unpaged(most) or query.get("formato") in TABULAR:
            return headers
        per_page, following = most, _unpaged(most) // most + 1
    last = max(1, -(-total // per_page))
    pages = {"first": 1, "last": last}
    if page > 1:
        pages["prev"] = min(page - 1, last)
    if page < last:
        pages["next"] = following
    headers["Link"] = ", ".join(
        f'<{_url(page=number, per_page=per_page)}>; rel="{name}"' for name, number in pages.items()
    )
    return headers


def next_link(cursor: str) -> str:
    """Return the `Link` to the page of this list that begins at `cursor`."""
    return f'<{_url(cursor=cursor)}>; rel="next"'


def _url(**changes: str | int) -> str:
    return f"{request.path}?{urlencode(request.args.to_dict() | changes)}"
