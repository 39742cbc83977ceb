"""The rules of robots.txt by RFC 9309 (longest match, `*` and `$`), and the older Crawl-delay.

The standard library's parser takes the first match rather than the longest and knows no wildcards.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_DELAY = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)
_Group = list[tuple[str, str]]
"""Fields and values, in the order of the file."""


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """The rules for one agent; none at all allow everything."""

    rules: tuple[tuple[str, bool], ...] = ()
    """Path patterns, and whether they are allowed."""
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
        start = path.find(literal, position)
        if start < 0:
            return False
        position = start + len(literal)
    if not pattern.endswith("$"):
        return True
    return path.endswith(literals[-1]) if len(literals) > 1 else position == len(path)


def parse_robots(body: bytes, agent: str) -> RobotsRules:
    """Read the rules for the product token `agent`: its own groups if it has any, else those of `*`."""
    groups = _groups(body.decode("utf-8-sig", errors="replace"))
    group = groups.get(agent.lower(), groups.get("*", []))
    delays = [float(value) for field, value in group if field == "crawl-delay" and _DELAY.fullmatch(value)]
    rules = tuple((value, field == "allow") for field, value in group if field.endswith("allow") and value)
    return RobotsRules(rules, max(delays, default=0.0))


def _groups(text: str) -> dict[str, _Group]:
    """Collect the rules by product token in lower case; adjacent user-agent lines share one group."""
    groups: dict[str, _Group] = {}
    agents: list[str] = []
    previous = ""
    for field, value in _fields(text):
        if field == "user-agent":
            agent = value.split("/")[0].lower()
            agents = [*agents, agent] if previous == "user-agent" else [agent]
            groups.setdefault(agent, [])
        else:
            for agent in agents:
                groups[agent].append((field, value))
        previous = field
    return groups


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        field, colon, value = line.partition("#")[0].partition(":")
        if colon and (name := field.strip().lower()) in ("user-agent", "allow", "disallow", "crawl-delay"):
            yield name, value.strip()
