"""Many rows written or read in few statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import JSON, Select, Text, bindparam, cast, func, select, true
from sqlalchemy.orm import Session

from app.storage.columns import Base
from app.storage.database import INSERTS

ROWS_AT_ONCE = 1_000


def write_rows(
    session: Session,
    table: type[Base],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    constants: Mapping[str, Any] | None = None,
    *,
    replace: bool = False,
) -> None:
    """Insert `rows` of the named columns, which JSON can hold, and `constants`, the same in each row.

    With `replace`, a row that has the `id` of one in the table takes its place. A statement takes many rows as one
    JSON text: executed row by row, each would wait for the interpreter lock, and a statement with a parameter for
    each value takes longer to compile than to execute.
    """
    constants = constants or {}
    statement = _statement(
        session.get_bind().dialect.name, table, tuple(columns), tuple(constants), replace=replace
    )
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        session.connection().execute(statement, {"_rows": orjson.dumps(batch).decode(), **constants})


@cache
def _statement(
    dialect: str, table: type[Base], columns: tuple[str, ...], constants: tuple[str, ...], *, replace: bool
) -> Any:
    attributes = [getattr(table, name) for name in (*columns, *constants)]
    values: list[Any]
    if dialect == "sqlite":
        source = func.json_each(bindparam("_rows", type_=Text)).table_valued("value")
        values = [func.json_extract(source.c.value, f"$[{place}]") for place in range(len(columns))]
    else:
        source = func.json_array_elements(cast(bindparam("_rows", type_=Text), JSON)).table_valued("value")
        values = [
            cast(source.c.value.op("->>")(place), getattr(table, name).type)
            for place, name in enumerate(columns)
        ]
    values += [bindparam(name, type_=getattr(table, name).type) for name in constants]
    # SQLite needs the condition, to tell the insert's ON CONFLICT from a join's ON.
    selected = select(*values).select_from(source).where(true())
    statement = INSERTS[dialect](table).from_select(attributes, selected)
    if not replace:
        return statement
    replaced = {column.name: column for column in statement.excluded if column.name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=replaced)


def read_batches(
    session: Session, rows: Select[Any], parameters: dict[str, Any]
) -> Iterator[list[list[Any]]]:
    """Yield rows in the order of their first column, an id, as a list for each column; prices are floats.

    `rows` are ROWS_AT_ONCE in that order whose ids are above the parameter `after`; they should be the same object at
    each call, since it takes longer to build a statement than to execute it. A batch comes as JSON texts: SQLite's
    driver releases the interpreter lock for each row and has to win it back, so that with busy readers in the same
    process a thousand rows took seconds, with the write lock held. Were it larger, parsing the texts would hold up the
    readers in turn.
    """
    statement = _gathered(session.get_bind().dialect.name, rows)
    after = -1
    while True:
        texts = session.connection().execute(statement, {"after": after, **parameters}).one()
        lists = [orjson.loads(text or "[]") for text in texts]
        ids = lists[0]
        if ids != sorted(ids):  # an aggregate promises no order
            places = sorted(range(len(ids)), key=ids.__getitem__)
            lists = [[values[place] for place in places] for values in lists]
        yield lists
        if len(ids) < ROWS_AT_ONCE:
            return
        after = lists[0][-1]


@lru_cache(maxsize=32)
def _gathered(dialect: str, rows: Select[Any]) -> Select[Any]:
    gather = func.json_group_array if dialect == "sqlite" else func.json_agg
    columns: list[Any] = [cast(gather(column), Text) for column in rows.subquery().c]
    return select(*columns)
