"""The documents agree with each other and with the tree."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.documents import (
    DECISIONS,
    DOCUMENTS,
    READMES,
    anchors,
    code_spans,
    command_blocks,
    links,
    prose,
    read,
)
from tests.support.server import ROOT

FOLDERS = "app|scraper|ml|demo|dashboards|tests|docs|alerts|grafana|compose|benchmarks|targets"
PATH = re.compile(rf"(?:{FOLDERS})/[\w./<>-]*|[\w-]+\.(?:py|toml|md|yaml|yml)|Makefile|\.ci/run")
IDENTIFIER = re.compile(r"[A-Za-z]*_\w+|[A-Z][a-z]+\w*[A-Z]\w*")
MAINTAINERS_PAGES = (ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md")
SOURCES = ("app", "scraper", "ml", "demo", "dashboards", "tests")
STATUS = re.compile(r"^Status: (accepted|superseded by \d{4}) · \d{4}-\d{2}-\d{2}$", re.MULTILINE)
each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
)
each_decision = pytest.mark.parametrize("decision", DECISIONS, ids=[path.stem[:4] for path in DECISIONS])


def test_both_readmes_have_the_same_commands() -> None:
    assert command_blocks(READMES[0]) == command_blocks(READMES[1])


@each_document
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    for target, anchor in links(document):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target}#{anchor}"


@each_document
def test_files_named_by_a_document_exist(document: Path) -> None:
    """A `<feature>` in a path stands for at least one file."""
    paths = {span for span in code_spans(document) if PATH.fullmatch(span)}
    patterns = {path: re.sub(r"<\w+>", "*", path.rstrip("/")) for path in paths}
    assert [path for path, pattern in patterns.items() if not any(ROOT.glob(pattern))] == []


@pytest.mark.parametrize("document", MAINTAINERS_PAGES, ids=lambda path: path.name)
def test_identifiers_named_for_maintainers_are_in_the_code(document: Path) -> None:
    sources = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")]
    words = set(re.findall(r"\w+", "".join(read(path) for path in sources) + read(ROOT / ".env.example")))
    names = {span for span in code_spans(document) if IDENTIFIER.fullmatch(span)}
    assert names
    assert names - words == set()


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_folders_in_the_layout_exist(readme: Path) -> None:
    [layout] = re.findall(r"^```\n(run\.py .*?)^```", read(readme), re.DOTALL | re.MULTILINE)
    paths = [path for line in layout.splitlines() for path in re.split(r"  +", line)[0].split(", ")]
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_index_names_every_page_of_the_documentation() -> None:
    index = ROOT / "docs" / "README.md"
    pages = {*(ROOT / "docs").glob("*.md"), ROOT / "docs" / "decisions" / "README.md"} - {index}
    assert pages <= {target for target, _ in links(index)}


def test_the_index_of_decisions_names_every_decision_by_its_title() -> None:
    index = read(ROOT / "docs" / "decisions" / "README.md")
    for path in DECISIONS:
        number, title = re.findall(r"^# (\d+)\. (.+)$", read(path), re.MULTILINE)[0]
        assert f"[{number}. {title}]({path.name})" in index


@each_decision
def test_every_decision_has_the_form_of_the_template(decision: Path) -> None:
    text = prose(decision)
    assert text.startswith(f"# {int(decision.name[:4])}. ")
    assert len(STATUS.findall(text)) == 1
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers[0] == 1
    assert all(later - earlier == 1 for earlier, later in pairwise(numbers))
