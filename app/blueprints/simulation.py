"""`/api/v1/simulation`: trouble made on purpose."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.simulation.faults import Knobs
from app.web.access import Access
from app.web.context import shop
from app.web.endpoint import Answer, Operation, operation
from app.web.presenters.simulation import SIMULATION_KEYS, present_simulation
from app.web.schemas.simulation import NewSimulation, ShownSimulation

simulation = Blueprint("simulation", __name__, url_prefix="/api/v1/simulation")
TAG = "Simulação"


@simulation.get("")
@operation(
    Operation(
        tag=TAG,
        summary="Mostra a simulação",
        access=Access.ADMIN,
        answers={200: Answer("Os ajustes em vigor", ShownSimulation())},
    )
)
def show_simulation() -> ResponseReturnValue:
    return present_simulation(shop().simulation.knobs())


@simulation.put("")
@operation(
    Operation(
        tag=TAG,
        summary="Ajusta a simulação",
        description="Vale para todos os processos em até um segundo, e até o próximo ajuste. `{}` desliga tudo.",
        access=Access.ADMIN,
        body=NewSimulation(),
        answers={200: Answer("Os ajustes em vigor", ShownSimulation())},
    )
)
def set_simulation(body: dict[str, Any]) -> ResponseReturnValue:
    knobs = Knobs(**{field: body[name] for name, field in SIMULATION_KEYS.items()})
    shop().simulation.turn(knobs)
    return present_simulation(shop().simulation.knobs())
