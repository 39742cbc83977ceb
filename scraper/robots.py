"""What robots.txt asks of us, by RFC 9309 (longest match, `*` and `$`), and its older Crawl-delay.

The standard library's parser takes the first match rather than the longest and knows no wildcards.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_DELAY = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """The rules of the groups that concern us; no rules at all allow everything."""

    rules: tuple[tuple[str, bool], ...] = ()  # (path pattern, allowed)
    crawl_delay_s: float = 0.0

    def allows(self, url: str) -> bool:
        parts = urlsplit(url)
        path = unquote(parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        matches = [(len(pattern), allowed) for pattern, allowed in self.rules if _matches(pattern, path)]
        return max(matches, default=(0, True))[1]  # of equally long ones "allow" wins, as True > False


def _matches(pattern: str, path: str) -> bool:
    literals = unquote(pattern.removesuffix("$")).split("*")
    position = len(literals[0])
    if not path.startswith(literals[0]):
        return False
    for literal in literals[1:]:
        found = path.find(literal, position)
        if found < 0:
            return False
        position = found + len(literal)
    if not pattern.endswith("$"):
        return True
    return path.endswith(literals[-1]) if len(literals) > 1 else position == len(path)


def parse_robots(body: bytes, agent: str) -> RobotsRules:
    """The rules for the product token `agent`: its own groups if it has any, else those of `*`."""
    groups: dict[str, list[tuple[str, str]]] = {}
    current: list[list[tuple[str, str]]] = []
    naming = False
    for field, value in _fields(body.decode("utf-8-sig", errors="replace").splitlines()):
        if field == "user-agent":
            if not naming:
                current = []
            naming = True
            current.append(groups.setdefault(value.split("/")[0].lower(), []))
        elif field in ("allow", "disallow", "crawl-delay"):
            naming = False
            for group in current:
                group.append((field, value))
    ours = groups.get(agent.lower(), groups.get("*", []))
    delays = [float(value) for field, value in ours if field == "crawl-delay" and _DELAY.fullmatch(value)]
    rules = tuple((value, field == "allow") for field, value in ours if field.endswith("allow") and value)
    return RobotsRules(rules, max(delays, default=0.0))


def _fields(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        field, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield field.strip().lower(), value.strip()
