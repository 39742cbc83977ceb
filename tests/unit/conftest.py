from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def shop_log() -> Iterator[logging.Logger]:
    """The shop's logger, as it was afterwards."""
    log = logging.getLogger("app")
    before = log.handlers[:], log.level, log.propagate
    yield log
    log.handlers[:], log.level, log.propagate = before[0], before[1], before[2]
