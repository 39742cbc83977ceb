"""The base of the tests' payment gateways."""

from __future__ import annotations

from app.core.payments import PaymentGateway


class InMemoryGateway(PaymentGateway):
    """Has nothing to purge or to close."""

    def purge(self) -> None:
        return

    def close(self) -> None:
        return
