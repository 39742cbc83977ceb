"""What Prometheus reads: instruments are private to this room, which offers verbs."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The instruments of one application, in a registry of its own. They lock themselves."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._mismatches = Gauge(
            "ecommerce_ledger_mismatches",
            "O que a auditoria do estoque e dos pedidos achou fora do lugar na última vez",
            registry=self._registry,
        )

    def count_mismatches(self, number: int) -> None:
        self._mismatches.set(number)

    def render(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)
