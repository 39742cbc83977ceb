"""What the shop asks of whoever takes its payments."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Decision(StrEnum):
    """`ERROR` says that nothing can be told: the payment may or may not have been taken."""

    APPROVED = "approved"
    DENIED = "denied"
    ERROR = "error"


class PaymentGateway(Protocol):
    """A payment service. Every call may hang or raise: the shop bounds them in time and gives the payment back.

    `reference` names one payment for ever: asking again gives the first answer and never charges twice.
    """

    def authorise(self, amount: Decimal, reference: str, token: str | None) -> Decision:
        """Take `amount` pounds; `token` stands for the customer's card."""
        ...

    def decision(self, reference: str) -> Decision | None:
        """What was answered for `reference`; None where the gateway has not decided about it."""
        ...

    def void(self, reference: str) -> None:
        """Give back what was taken for `reference`, now or by a request that is still under way."""
        ...
