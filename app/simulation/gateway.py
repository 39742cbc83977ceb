"""A payment gateway that takes no money."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.payments import Decision
from app.simulation.faults import Simulation
from app.storage.database import INSERTS, Database
from app.storage.faults import log_failure
from app.storage.models import SimulatedPaymentRow

log = logging.getLogger(__name__)


class CardToken(StrEnum):
    """Test cards of a certain outcome; without one, chance decides at the rates of the simulation."""

    APPROVED = "tok_approved"
    DENIED = "tok_denied"
    ERROR = "tok_error"
    TIMEOUT = "tok_timeout"


_PAYMENT_TTL = timedelta(days=7)
_VOIDED = "voided"
_INSERTS = {dialect: insert(SimulatedPaymentRow) for dialect, insert in INSERTS.items()}
_KEEP_FIRST = {dialect: insert.on_conflict_do_nothing() for dialect, insert in _INSERTS.items()}
_REPLACE = {
    dialect: insert.on_conflict_do_update(
        index_elements=["referencia"], set_={"resultado": insert.excluded.resultado}
    )
    for dialect, insert in _INSERTS.items()
}
_READ = select(SimulatedPaymentRow.outcome).where(SimulatedPaymentRow.reference == bindparam("reference"))


class SimulatedGateway:
    """A `PaymentGateway` that decides by token or chance, and keeps its decisions in a table of its own.

    SQLite stores a decision with the order that it confirms or releases, in one transaction: after a crash before that,
    the gateway has never heard of the payment. Holds no state but `_closing`, which ends the calls that hang.
    """

    def __init__(self, simulation: Simulation, database: Database, hangs_for_s: float) -> None:
        """Take the seconds after which a call with `tok_timeout` fails."""
        self._simulation = simulation
        self._hangs_for_s = hangs_for_s
        self._database = database
        self._dialect = database.engine.dialect.name
        self._closing = threading.Event()

    def authorise(self, amount: Decimal, reference: str, token: str | None) -> Decision:
        settings = self._simulation.settings()
        if token == CardToken.TIMEOUT:
            self._closing.wait(self._hangs_for_s)
            return Decision.ERROR
        time.sleep(settings.payment_latency_ms / 1_000)
        if token == CardToken.ERROR or (token is None and self._simulation.should_fail("payment_error")):
            return Decision.ERROR
        denied = token == CardToken.DENIED or (
            token is None and self._simulation.should_fail("payment_denied")
        )
        decision = Decision.DENIED if denied else Decision.APPROVED
        if settings.payment_latency_ms or self._dialect != "sqlite":
            # At once: the shop may have given up, and then finalizes the order no more; or transactions run side by
            # side, and the one that would store the decision may end after the order's.
            return self._decide(reference, decision)
        self._database.execute_later(_KEEP_FIRST[self._dialect], _row(reference, decision))
        return decision

    def decision(self, reference: str) -> Decision | None:
        self._database.flush()
        with self._database.reading() as session:
            outcome = session.scalar(_READ, {"reference": reference})
        return None if outcome is None else _as_decision(outcome)

    def void(self, reference: str) -> None:
        self._database.write(
            lambda session: session.connection().execute(_REPLACE[self._dialect], _row(reference, _VOIDED))
        )

    def purge(self) -> None:
        forgotten = datetime.now(UTC) - _PAYMENT_TTL
        with self._database.writing() as session:
            session.execute(delete(SimulatedPaymentRow).where(SimulatedPaymentRow.at < forgotten))

    def close(self) -> None:
        """End the calls that hang, and store what was decided."""
        self._closing.set()
        try:
            self._database.flush()
        except SQLAlchemyError as error:
            log_failure(log, "payments_not_stored", error)

    def _decide(self, reference: str, decision: Decision) -> Decision:
        """Store the first decision about `reference` and return it."""

        def work(session: Session) -> str:
            connection = session.connection()
            connection.execute(_KEEP_FIRST[self._dialect], _row(reference, decision))
            return str(connection.execute(_READ, {"reference": reference}).scalar_one())

        return _as_decision(self._database.write(work))


def _row(reference: str, outcome: str) -> dict[str, object]:
    """Return the columns of a decision."""
    return {"referencia": reference, "resultado": outcome, "quando": datetime.now(UTC)}


def _as_decision(outcome: str) -> Decision:
    return Decision.DENIED if outcome == _VOIDED else Decision(outcome)
