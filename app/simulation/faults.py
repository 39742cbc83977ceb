"""The simulation's settings, and the faults that it injects at their rates."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import asdict, dataclass, fields

from sqlalchemy.exc import SQLAlchemyError

from app.settings import Settings
from app.storage.database import Database, upsert_into
from app.storage.models import SimulationRow

log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.5
"""How often the database is asked whether another process has changed the settings."""


class SimulatedFailure(Exception):
    """An internal error made on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSettings:
    """Rates are fractions of 1. A seed makes every process draw the same chances in the same order."""

    payment_denied_rate: float = 0.0
    payment_error_rate: float = 0.0
    payment_latency_ms: int = 0
    stock_failure_rate: float = 0.0
    internal_error_rate: float = 0.0
    slow_rate: float = 0.0
    slow_ms: int = 0
    seed: int | None = None


class Simulation:
    """The settings, from the environment or as an admin last set them, and a random generator for each fault.

    `_lock` protects the generators; `_settings` is only ever swapped; `_looking` lets one thread at a time ask.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._version = 0
        self._checked_at = float("-inf")
        self._apply(
            SimulationSettings(
                payment_denied_rate=float(settings.simulation_payment_denied_rate),
                payment_error_rate=float(settings.simulation_payment_error_rate),
                payment_latency_ms=settings.simulation_payment_latency_ms,
                stock_failure_rate=float(settings.simulation_stock_failure_rate),
                internal_error_rate=float(settings.simulation_internal_error_rate),
                slow_rate=float(settings.simulation_slow_rate),
                slow_ms=settings.simulation_slow_ms,
                seed=settings.simulation_seed,
            )
        )

    def settings(self) -> SimulationSettings:
        """Return the settings as any process last set them, at most CHECK_EVERY_S late."""
        # One thread asks the database, while the others go on with what is there.
        if time.monotonic() - self._checked_at > CHECK_EVERY_S and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._settings

    def set(self, settings: SimulationSettings) -> None:
        """Set the settings of every process, until the next change, and seed the generators anew."""
        with self._database.writing() as session:
            first = upsert_into(session, SimulationRow).values(id=1, version=1, settings=asdict(settings))
            session.execute(
                first.on_conflict_do_update(
                    index_elements=["id"],
                    set_={"versao": SimulationRow.version + 1, "ajustes": first.excluded.ajustes},
                )
            )
        with self._looking:
            self._look()
        log.warning("simulation_set", extra=asdict(settings))

    def should_fail(self, fault: str) -> bool:
        """Return whether to inject `fault`, such as `slow`, this time; each has a generator of its own."""
        rate: float = getattr(self.settings(), f"{fault}_rate")
        if rate <= 0:
            return False
        with self._lock:
            return self._generators[fault].random() < rate

    def delay(self) -> None:
        """Wait, at the rate of slow requests."""
        if self.should_fail("slow"):
            time.sleep(self.settings().slow_ms / 1_000)

    def fail(self) -> None:
        """Raise SimulatedFailure, at the rate of internal errors."""
        if self.should_fail("internal_error"):
            raise SimulatedFailure("simulation of an internal error")

    def _look(self) -> None:
        self._checked_at = time.monotonic()
        try:
            with self._database.reading() as session:
                row = session.get(SimulationRow, 1)
        except SQLAlchemyError:
            log.exception("simulation_check_failed")
            return
        if row is not None and row.version != self._version:
            self._version = row.version
            known = {
                field.name for field in fields(SimulationSettings)
            }  # another release may have had others
            self._apply(
                SimulationSettings(**{name: value for name, value in row.settings.items() if name in known})
            )

    def _apply(self, settings: SimulationSettings) -> None:
        with self._lock:
            self._settings = settings
            self._generators = {
                name: random.Random(None if settings.seed is None else f"{settings.seed}:{name}")
                for name in ("payment_denied", "payment_error", "stock_failure", "internal_error", "slow")
            }
