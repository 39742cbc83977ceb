"""The service that sells, with faults injected around it and around its stock check."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import FieldProblem, OutOfStock
from app.core.orders import Order, OrderStatus
from app.services.orders import Draft, Orders, Placed
from app.simulation.faults import Simulation
from app.storage.idempotency import IdempotencyKey
from app.storage.stock import BookOnSale


class FaultyOrders(Orders):
    """Delays and fails requests at the rates of the simulation; a replayed request is at most delayed."""

    def __init__(self, simulation: Simulation, *parts: Any, **options: Any) -> None:
        """Take the arguments of `Orders` after the simulation."""
        super().__init__(*parts, **options)
        self._simulation = simulation

    def place(self, draft: Draft, key: IdempotencyKey | None, by: str) -> Placed:
        self._simulation.delay()
        return super().place(draft, key, by)

    def change(
        self,
        order_id: str,
        status: OrderStatus | None,
        fields: Mapping[str, str | None],
        versions: Collection[str] | None,
        by: str,
    ) -> Order:
        self._simulation.delay()
        self._simulation.fail()
        return super().change(order_id, status, fields, versions, by)

    def _lock_books(self, session: Session, ids: Sequence[int]) -> dict[int, BookOnSale]:
        """Fail inside the transaction, after the idempotency key was claimed: nothing is stored."""
        self._simulation.fail()
        if self._simulation.should_fail("stock_failure"):
            raise OutOfStock([FieldProblem("items", "a verificação de estoque falhou (simulado)")])
        return super()._lock_books(session, ids)
