"""The interface of payment gateways."""

from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Decision(StrEnum):
    """A gateway's decision; `ERROR` means that the payment may or may not have been taken."""

    APPROVED = "approved"
    DENIED = "denied"
    ERROR = "error"


class PaymentGateway(Protocol):
    """A payment service. A call may hang or raise: the shop bounds it in time and voids the payment.

    `reference` names one payment for ever: a repeated call returns the first decision and never charges twice.
    """

    def authorise(self, amount: Decimal, reference: str, token: str | None) -> Decision:
        """Charge `amount` pounds to the card that `token` stands for."""
        ...

    def decision(self, reference: str) -> Decision | None:
        """Return the decision about `reference`; None where there is none: the order is released and voided."""
        ...

    def void(self, reference: str) -> None:
        """Void what was charged for `reference`, also by a call that is still in progress."""
        ...

    def purge(self) -> None:
        """Delete what the gateway stores here and no longer needs; called every minute."""
        ...

    def close(self) -> None:
        """End the calls in progress, since the shop stops."""
        ...
