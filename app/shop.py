"""What one application is made of."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.accounts import Accounts
from app.services.scrapes import Scrapes
from app.settings import Settings
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database


@dataclass(frozen=True, slots=True)
class Shop:
    """The parts of one application, hung on it by `create_app`. Each of them is safe to share."""

    settings: Settings
    database: Database
    catalogue: CatalogueStore
    accounts: Accounts
    scrapes: Scrapes
