"""The simulation's settings."""

from app.simulation.faults import SimulationSettings
from app.web.presenters.common import Shape

SIMULATION_KEYS = {
    "taxa_pagamento_negado": "payment_denied_rate",
    "taxa_erro_pagamento": "payment_error_rate",
    "latencia_pagamento_ms": "payment_latency_ms",
    "taxa_falha_estoque": "stock_failure_rate",
    "taxa_erro_interno": "internal_error_rate",
    "taxa_lentidao": "slow_rate",
    "lentidao_ms": "slow_ms",
    "semente": "seed",
}


def present_simulation(settings: SimulationSettings) -> Shape:
    return {name: getattr(settings, field) for name, field in SIMULATION_KEYS.items()}
