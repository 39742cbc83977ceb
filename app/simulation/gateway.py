"""A payment gateway that takes no money."""

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import delete, select

from app.core.payments import Decision
from app.simulation.faults import Simulation
from app.storage.database import Database, upsert_into
from app.storage.models import SimulatedPaymentRow


class CardToken(StrEnum):
    """Test cards of a certain outcome; without one, chance decides at the rates of the simulation."""

    APPROVED = "tok_approved"
    DENIED = "tok_denied"
    ERROR = "tok_error"
    TIMEOUT = "tok_timeout"


_PAYMENT_TTL = timedelta(days=7)
_VOIDED = "voided"


class SimulatedGateway:
    """A `PaymentGateway` that decides by token or chance, and keeps its decisions in a table of its own.

    Holds no state but `_closing`, which ends the calls that hang.
    """

    def __init__(self, simulation: Simulation, database: Database, hangs_for_s: float) -> None:
        """Take the seconds after which a call with `tok_timeout` fails."""
        self._simulation = simulation
        self._hangs_for_s = hangs_for_s
        self._database = database
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
        return self._decide(reference, (Decision.DENIED if denied else Decision.APPROVED).value)

    def decision(self, reference: str) -> Decision | None:
        with self._database.reading() as session:
            outcome = session.scalar(
                select(SimulatedPaymentRow.outcome).where(SimulatedPaymentRow.reference == reference)
            )
        return None if outcome is None else _as_decision(outcome)

    def void(self, reference: str) -> None:
        self._decide(reference, _VOIDED, replaces=True)

    def purge(self) -> None:
        forgotten = datetime.now(UTC) - _PAYMENT_TTL
        with self._database.writing() as session:
            session.execute(delete(SimulatedPaymentRow).where(SimulatedPaymentRow.at < forgotten))

    def close(self) -> None:
        """End the calls that hang."""
        self._closing.set()

    def _decide(self, reference: str, outcome: str, *, replaces: bool = False) -> Decision:
        """Store the first outcome for `reference` and return it; a void replaces any."""
        now = datetime.now(UTC)
        with self._database.writing() as session:
            row = upsert_into(session, SimulatedPaymentRow).values(
                reference=reference, outcome=outcome, at=now
            )
            session.execute(
                row.on_conflict_do_update(index_elements=["referencia"], set_={"resultado": outcome})
                if replaces
                else row.on_conflict_do_nothing()
            )
            decided = session.scalars(
                select(SimulatedPaymentRow.outcome).where(SimulatedPaymentRow.reference == reference)
            ).one()
        return _as_decision(decided)


def _as_decision(outcome: str) -> Decision:
    return Decision.DENIED if outcome == _VOIDED else Decision(outcome)
