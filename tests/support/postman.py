"""The Postman collection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.server import ROOT

COLLECTION = ROOT / "docs" / "livraria.postman_collection.json"


def read_collection() -> dict[str, Any]:
    collection: dict[str, Any] = json.loads(COLLECTION.read_text(encoding="utf-8"))
    return collection


def leaves(folder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every request of a folder and the folders in it."""
    for item in folder["item"]:
        if "item" in item:
            yield from leaves(item)
        else:
            yield item
