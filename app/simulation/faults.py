"""The knobs of the simulation, and the chance they turn."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import asdict, dataclass, fields

from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import FieldProblem, OutOfStock
from app.settings import Settings
from app.storage.database import Database, upsert_into
from app.storage.models import SimulationRow

log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.5
"""How often the database is asked whether another process has turned a knob."""


class SimulatedFailure(Exception):
    """The internal error that a knob asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
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
    """The knobs, as the settings have them or as an admin last set them, and a generator for each.

    `_lock` protects the generators; `_knobs` is only ever swapped; `_looking` lets one thread at a time ask.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._version = 0
        self._checked_at = float("-inf")
        self._turn(
            Knobs(
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

    def knobs(self) -> Knobs:
        """The knobs as they are now, in whichever process they were turned."""
        # One thread asks the database, while the others go on with what is there.
        if time.monotonic() - self._checked_at > CHECK_EVERY_S and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._knobs

    def turn(self, knobs: Knobs) -> None:
        """Set the knobs for every process, until somebody sets them again, and begin the chances anew."""
        with self._database.writing() as session:
            first = upsert_into(session, SimulationRow).values(id=1, version=1, knobs=asdict(knobs))
            session.execute(
                first.on_conflict_do_update(
                    index_elements=["id"],
                    set_={"versao": SimulationRow.version + 1, "ajustes": first.excluded.ajustes},
                )
            )
        with self._looking:
            self._look()
        log.warning("simulation_set", extra=asdict(knobs))

    def strikes(self, knob: str, rate: float) -> bool:
        """Whether chance has it this time; each knob has its own sequence of chances."""
        if rate <= 0:
            return False
        with self._lock:
            return self._chances[knob].random() < rate

    def disturb_order(self) -> None:
        """Before an order is placed: wait, fail, or find no stock. Raises SimulatedFailure or OutOfStock."""
        self.disturb_update()
        if self.strikes("stock_failure", self.knobs().stock_failure_rate):
            raise OutOfStock([FieldProblem("items", "a verificação de estoque falhou (simulado)")])

    def disturb_update(self) -> None:
        """Before an order is changed: wait or fail. Raises SimulatedFailure."""
        knobs = self.knobs()
        if self.strikes("slow", knobs.slow_rate):
            time.sleep(knobs.slow_ms / 1_000)
        if self.strikes("internal_error", knobs.internal_error_rate):
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
            known = {each.name for each in fields(Knobs)}  # another release may have had others
            self._turn(Knobs(**{name: value for name, value in row.knobs.items() if name in known}))

    def _turn(self, knobs: Knobs) -> None:
        with self._lock:
            self._knobs = knobs
            self._chances = {
                name: random.Random(None if knobs.seed is None else f"{knobs.seed}:{name}")
                for name in ("payment_denied", "payment_error", "stock_failure", "internal_error", "slow")
            }
