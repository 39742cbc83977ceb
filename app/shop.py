"""What one application is made of."""

from __future__ import annotations

from dataclasses import dataclass

from app.observability.metrics import Metrics
from app.services.accounts import Accounts
from app.services.orders import Orders
from app.services.scrapes import Scrapes
from app.services.sweeper import Sweeper
from app.settings import Settings
from app.simulation.gateway import SimulatedGateway
from app.simulation.knobs import Simulation
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
    orders: Orders
    simulation: Simulation
    gateway: SimulatedGateway
    metrics: Metrics
    sweeper: Sweeper

    def stop(self) -> None:
        """End the threads of this application and join them."""
        self.gateway.close()
        self.sweeper.stop()
        self.scrapes.stop()
