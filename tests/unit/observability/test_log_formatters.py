from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.observability.logs.context import request_id
from app.observability.logs.formatters import FIELDS, ConsoleFormatter, JsonFormatter
from app.services import scraping, training
from app.simulation.faults import SimulationSettings

ROOT = Path(__file__).parents[3]
EVIL = "a\nb\r\x1b[2J\x85\u2028\u2029\u202e\x00\x7f\ud800"


def make_record(event: str = "happened", error: Exception | None = None, **extra: Any) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    return logging.getLogger("app.test").makeRecord(
        "app.test", logging.INFO, __file__, 1, event, (), info, extra=extra
    )


def write_record(**extra: Any) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(JsonFormatter().format(make_record(**extra)))
    return line


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


def raised(message: object) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def extra_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "extra":
            yield from names_of(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "log_failure":
            yield from (str(keyword.arg) for keyword in node.keywords)


def names_of(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Call):
        assert ast.unparse(value) == "asdict(settings)", "the sweep knows of no other record"
        yield from (field.name for field in fields(SimulationSettings))
        return
    if isinstance(value, ast.BinOp):
        yield from names_of(value.left)
        value = value.right
    if isinstance(value, ast.Name):
        assert value.id == "fields", (
            "the sweep knows of no other names, which are those of calls of log_failure"
        )
        return
    assert isinstance(value, ast.Dict), ast.unparse(value)
    for key in value.keys:
        assert key is not None, "the sweep can't read what ** adds"
        if isinstance(key, ast.Attribute):
            assert key.attr == "id_name", "the sweep knows of no other computed key"
            yield from (kind.id_name for kind in (scraping.KIND, training.KIND))
        else:
            yield str(ast.literal_eval(key))


def test_every_name_that_the_sources_log_is_allowed() -> None:
    names = {
        name
        for file in (ROOT / "app").rglob("*.py")
        for name in extra_names(file.read_text(encoding="utf-8"))
    }
    assert len(names) > 20
    assert names <= FIELDS


def test_no_allowed_name_is_that_of_a_secret() -> None:
    secret = re.compile(r"password|senha|token|key|secret|cookie|body|query|header|authorization")
    assert not [name for name in FIELDS if secret.search(name)]


def test_a_line_is_one_object_with_its_time_level_logger_and_request() -> None:
    token = request_id.set("r-1")
    line = write_record(event="happened", run_id=3)
    request_id.reset(token)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("timestamp"))
    assert list(line.items()) == [
        ("levelname", "INFO"),
        ("name", "app.test"),
        ("message", "happened"),
        ("request_id", "r-1"),
        ("run_id", 3),
    ]


def test_fields_that_are_not_allowed_are_dropped() -> None:
    line = write_record(password="p", body={"a": 1}, unknown=2, reason="r")
    assert set(line) == {"timestamp", "levelname", "name", "message", "request_id", "reason"}


@pytest.mark.parametrize("formatter", [JsonFormatter(), ConsoleFormatter()])
def test_foreign_text_can_neither_forge_a_line_nor_move_a_terminal(formatter: logging.Formatter) -> None:
    text = formatter.format(make_record(event=EVIL, reason=EVIL, username=EVIL))
    plain = without_colours(text) if isinstance(formatter, ConsoleFormatter) else text
    assert plain.isprintable()
    assert len(text.splitlines()) == 1


def test_a_trace_on_the_console_is_indented_so_that_it_forges_no_line() -> None:
    record = make_record(error=raised("x\n12:00:00 INFO    forged\r\x1b[2J"))
    text = without_colours(ConsoleFormatter().format(record))
    first, *rest = text.splitlines()
    assert "happened" in first
    assert rest
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in text


def test_a_value_that_json_lacks_is_written_as_text() -> None:
    line = write_record(reason=Path("/x"), total=float("nan"), books=2**70, by=None)
    assert (line["reason"], line["total"], line["by"]) == ("/x", None, None)
    assert isinstance(line["books"], str)


def test_the_values_in_a_traces_messages_are_hidden_and_the_rest_is_not() -> None:
    trace = JsonFormatter().format(
        make_record(error=raised("invalid literal: 'hunter2x'\nDETAIL: Key (username)=(hunter) exists"))
    )
    assert "hunter" not in json.loads(trace)["exception"].split("raise ValueError")[1]
    assert "test_log_formatters.py" in trace
    assert "ValueError: invalid literal" in trace


def console_line() -> str:
    return without_colours(ConsoleFormatter().format(make_record()))


def test_the_console_shows_the_beginning_of_a_requests_id() -> None:
    token = request_id.set("5f0c6a8e2b7d4c1e9a3f5f0c6a8e2b7d")
    line = console_line()
    request_id.reset(token)
    assert line.endswith("happened request_id=5f0c6a8e")


def test_the_console_shows_no_id_outside_a_request() -> None:
    token = request_id.set("-")
    line = console_line()
    request_id.reset(token)
    assert line.endswith("happened")
