"""The parts of one application."""

import threading
from dataclasses import dataclass, field

from app.core.payments import PaymentGateway
from app.observability.logs.follower import LogTails
from app.observability.logs.reader import LogReader
from app.observability.logs.writer import LogWriter
from app.observability.metrics import Metrics
from app.services.accounts import Accounts
from app.services.changes import Changes
from app.services.model_store import ModelStore
from app.services.orders import Orders
from app.services.periodic_tasks import PeriodicTasks
from app.services.predictions import Predictions
from app.services.schedule import ScrapeSchedule
from app.services.scraping import Scrapes
from app.services.training import Trainings
from app.settings import Settings
from app.simulation.faults import Simulation
from app.storage.book_texts import BookTexts
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.past_catalogues import PastCatalogues


@dataclass(frozen=True, slots=True)
class Shop:
    """The parts of one application, in its `extensions`; each is safe to share between threads."""

    settings: Settings
    database: Database
    catalogue: CatalogueStore
    past: PastCatalogues
    texts: BookTexts
    changes: Changes
    accounts: Accounts
    scrapes: Scrapes
    schedule: ScrapeSchedule
    orders: Orders
    models: ModelStore
    trainings: Trainings
    predictions: Predictions
    simulation: Simulation
    gateway: PaymentGateway
    metrics: Metrics
    log_writer: LogWriter
    log_reader: LogReader
    log_tails: LogTails
    streams: threading.BoundedSemaphore
    """Counts the long lists that may be sent at once: each keeps a thread busy."""
    catalogue_tasks: PeriodicTasks
    order_tasks: PeriodicTasks
    schedule_tasks: PeriodicTasks
    audit_tasks: PeriodicTasks
    model_tasks: PeriodicTasks
    draining: threading.Event = field(default_factory=threading.Event)
    """Set from the first word of the end on: `/readyz` says so, and kept-alive connections are closed."""

    def stop(self) -> None:
        """Stop the threads of this application and join them."""
        self.log_tails.stop()
        self.gateway.close()
        self.catalogue_tasks.stop()
        self.order_tasks.stop()
        self.schedule_tasks.stop()
        self.audit_tasks.stop()
        self.model_tasks.stop()
        self.scrapes.stop()
        self.trainings.stop()
        self.log_writer.close()
