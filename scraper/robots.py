"""The rules of robots.txt (RFC 9309) and the older Crawl-delay, as Protego reads them."""

import re

from protego import Protego

_VERSION = re.compile(r"^(\s*user-agent\s*:\s*[a-z_-]+)/\S*", re.ASCII | re.IGNORECASE | re.MULTILINE)


class RobotsRules:
    """What a robots.txt allows one agent, everything where it is empty. Immutable."""

    def __init__(self, body: bytes = b"", agent: str = "*") -> None:
        """Read the rules for the product token `agent`: its own groups if it has any, else those of `*`."""
        text = body.decode("utf-8-sig", errors="replace")
        # Protego compares whole tokens, and many files name a version, which is no part of one.
        self._rules = Protego.parse(_VERSION.sub(r"\1", text))
        self._agent = agent

    def allows(self, url: str) -> bool:
        return self._rules.can_fetch(url, self._agent)

    @property
    def crawl_delay_s(self) -> float:
        """The seconds asked for between requests, 0 for none."""
        return self._rules.crawl_delay(self._agent) or 0.0
