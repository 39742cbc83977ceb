"""The simulation's settings, and the faults that it injects at their rates."""

import logging
import random
import threading
import time
from dataclasses import asdict, dataclass, fields

from sqlalchemy.exc import SQLAlchemyError

from app.settings import Settings
from app.storage.database import Database, upsert_into
from app.storage.faults import log_failure
from app.storage.models import SimulationRow
from app.storage.polled import CHECK_EVERY_S, Polled

log = logging.getLogger(__name__)


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


class _Faults:
    """The settings at one version, with a random generator for each fault."""

    def __init__(self, version: int, settings: SimulationSettings) -> None:
        self.version = version
        self.settings = settings
        self.generators = {
            name: random.Random(None if settings.seed is None else f"{settings.seed}:{name}")
            for name in ("payment_denied", "payment_error", "stock_failure", "internal_error", "slow")
        }


class Simulation:
    """The settings, from the environment or as an admin last set them, and the faults drawn at their rates.

    `_lock` protects the generators.
    """

    def __init__(self, settings: Settings, database: Database, check_every_s: float = CHECK_EVERY_S) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._initial = _Faults(
            0,
            SimulationSettings(
                payment_denied_rate=float(settings.simulation_payment_denied_rate),
                payment_error_rate=float(settings.simulation_payment_error_rate),
                payment_latency_ms=settings.simulation_payment_latency_ms,
                stock_failure_rate=float(settings.simulation_stock_failure_rate),
                internal_error_rate=float(settings.simulation_internal_error_rate),
                slow_rate=float(settings.simulation_slow_rate),
                slow_ms=settings.simulation_slow_ms,
                seed=settings.simulation_seed,
            ),
        )
        self._faults = Polled(self._load, "simulation_check_failed", check_every_s, self._initial)

    def settings(self) -> SimulationSettings:
        """Return the settings as any process last set them, at most `check_every_s` seconds late."""
        return self._faults.current().settings

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
        try:
            self._faults.refresh()
        except SQLAlchemyError as error:
            log_failure(log, "simulation_check_failed", error)
        log.warning("simulation_set", extra=asdict(settings))

    def should_fail(self, fault: str) -> bool:
        """Return whether to inject `fault`, such as `slow`, this time; each has a generator of its own."""
        faults = self._faults.current()
        rate: float = getattr(faults.settings, f"{fault}_rate")
        if rate <= 0:
            return False
        with self._lock:
            return faults.generators[fault].random() < rate

    def delay(self) -> None:
        """Wait, at the rate of slow requests."""
        if self.should_fail("slow"):
            time.sleep(self.settings().slow_ms / 1_000)

    def fail(self) -> None:
        """Raise SimulatedFailure, at the rate of internal errors."""
        if self.should_fail("internal_error"):
            raise SimulatedFailure("simulation of an internal error")

    def _load(self, faults: _Faults | None) -> _Faults:
        with self._database.reading() as session:
            row = session.get(SimulationRow, 1)
        faults = faults or self._initial
        if row is None or row.version == faults.version:
            return faults
        known = {field.name for field in fields(SimulationSettings)}  # another release may have had others
        settings = {name: value for name, value in row.settings.items() if name in known}
        return _Faults(row.version, SimulationSettings(**settings))
