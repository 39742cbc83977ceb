"""What belongs to the application and the request that are being served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, g

from app.core.catalogue import Catalogue

if TYPE_CHECKING:
    from app.shop import Shop


def shop() -> Shop:
    """The parts of the current application."""
    parts: Shop = current_app.extensions["shop"]
    return parts


def catalogue() -> Catalogue:
    """The catalogue of this request: one snapshot from its first line to its ETag."""
    if "catalogue" not in g:
        g.catalogue = shop().catalogue.current()
    snapshot: Catalogue = g.catalogue
    return snapshot
