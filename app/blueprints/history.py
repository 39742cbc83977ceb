"""`/api/v1/changes` and the history of a book: what past publications left."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.core.books import fold
from app.core.history import BookChange
from app.storage.changes import SCANNED_ROWS, ChangeFilter, ChangePlace
from app.storage.observations import MAX_OBSERVATIONS
from app.web import pagination
from app.web.access import Access
from app.web.context import catalogue, shop
from app.web.endpoint import operation
from app.web.presenters.changes import present_change, present_observation
from app.web.rows import Rows
from app.web.schemas.changes import KINDS, ChangesQuery, ShownChangeOfBook, ShownObservation
from app.web.versions import DependsOn

history = Blueprint("history", __name__, url_prefix="/api/v1")


@history.get("/books/<int:book_idx>/history")
@operation(
    "Mostra o histórico de um livro",
    description=(
        "O preço, o estoque e a presença no catálogo, do mais antigo ao mais novo: um item para cada publicação "
        "que os achou diferentes, e nada para o tempo que ninguém observou. O estoque é o publicado: as vendas "
        "entre duas publicações não estão aqui. Começa na publicação mais antiga que a loja guarda "
        f"(`HISTORY_DAYS`), e traz até {MAX_OBSERVATIONS} itens, os mais novos. Também de um livro que saiu da loja."
    ),
    access=Access.PUBLIC,
    ok="O histórico do livro",
    response=ShownObservation(many=True),
    errors=(404,),
    versioned=DependsOn.CATALOGUE,
)
def show_history(book_idx: int) -> ResponseReturnValue:
    observations = shop().changes.history(book_idx, catalogue().publication.version)
    return [present_observation(observation) for observation in observations]


@history.get("/changes")
@operation(
    "Lista o que mudou no catálogo",
    description=(
        "Das publicações mais novas às mais antigas, um item para cada livro e tipo de mudança; na mesma "
        "publicação, do maior id ao menor. O `next` de `Link` traz um `cursor`: nada se repete nem se pula quando "
        f"um catálogo é publicado entre duas páginas. Uma página olha até {SCANNED_ROWS} mudanças: com filtros que "
        "deixam passar poucas, pode vir incompleta, ou vazia, e o `Link` continua. `minimo` deixa só preços e "
        "estoques. A primeira publicação que a loja ainda guarda não tem mudanças, a não ser que seja a primeira de "
        "todas; as do catálogo de demonstração não contam depois do primeiro scraping."
    ),
    access=Access.PUBLIC,
    query=ChangesQuery(),
    ok="As mudanças",
    response=ShownChangeOfBook(many=True),
    table="mudancas",
    response_headers=("Link",),
    links={"get_api_v1_books_intbook_idx_history": {"book_idx": "$response.body#/0/id"}},
    versioned=DependsOn.CATALOGUE,
)
def list_changes(query: dict[str, Any]) -> Rows:
    wanted = ChangeFilter(
        kind=KINDS.get(query.get("tipo", "")),
        categories=_names_of(query["categoria"]) if "categoria" in query else (),
        minimum=query.get("minimo"),
        since=query.get("since"),
        until=query.get("until"),
    )
    limit = pagination.items_asked_for(query, "limit")
    after = _place_of(query["cursor"]) if "cursor" in query else None
    page, following = shop().changes.changes(wanted, limit, catalogue().publication.version, after)
    headers = {} if following is None else {"Link": pagination.next_link(_cursor_of(following))}
    return Rows.of([present_change(change) for change in page], headers)


def _names_of(category: str) -> set[str]:
    """Return the name as given, which a past category may have had, and the present ones that it stands for."""
    asked = fold(category)
    return {category} | {name for name in catalogue().categories() if fold(name) == asked}


def _cursor_of(place: ChangePlace) -> str:
    return f"{place.version}.{place.book_id}.{place.kind.value}"


def _place_of(cursor: str) -> ChangePlace:
    version, book_id, kind = map(int, cursor.split("."))
    return ChangePlace(version, book_id, BookChange(kind))
