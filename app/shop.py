"""What one application is made of."""

from __future__ import annotations

from dataclasses import dataclass

from app.observability.log_reader import LogReader
from app.observability.log_tail import LogTails
from app.observability.log_writer import LogWriter
from app.observability.metrics import Metrics
from app.services.accounts import Accounts
from app.services.models import Models
from app.services.orders import Orders
from app.services.predictions import Predictions
from app.services.scrapes import Scrapes
from app.services.sweeper import Sweeper
from app.services.trainings import Trainings
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
    models: Models
    trainings: Trainings
    predictions: Predictions
    simulation: Simulation
    gateway: SimulatedGateway
    metrics: Metrics
    log_writer: LogWriter
    log_reader: LogReader
    log_tails: LogTails
    sweeper: Sweeper
    auditor: Sweeper
    trainer: Sweeper

    def stop(self) -> None:
        """End the threads of this application and join them."""
        self.log_tails.stop()
        self.gateway.close()
        self.sweeper.stop()
        self.auditor.stop()
        self.trainer.stop()
        self.scrapes.stop()
        self.trainings.stop()
        self.log_writer.close()
