"""The Markdown documents, and the commands, links and headings in them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.server import ROOT

READMES = (ROOT / "README.md", ROOT / "README.pt-BR.md")
DECISIONS = tuple(sorted((ROOT / "docs" / "decisions").glob("0*.md")))
DOCUMENTS = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def command_blocks(path: Path) -> list[str]:
    """Return the contents of a document's `sh` blocks."""
    return [content.strip() for language, content in _FENCE.findall(read(path)) if language == "sh"]


def prose(path: Path) -> str:
    """Return a document without its fenced blocks."""
    return _FENCE.sub("", read(path))


def links(path: Path) -> list[tuple[Path, str]]:
    """Return the file and the anchor, which may be empty, of each link that stays in the project."""
    targets = re.findall(r"\]\(([^)]+)\)", prose(path))
    inside = [target.partition("#") for target in targets if "://" not in target]
    return [((path.parent / file).resolve() if file else path, anchor) for file, _, anchor in inside]


def anchors(path: Path) -> set[str]:
    """Return the headings of a document as GitHub spells them in addresses."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_spans(path: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(path))
