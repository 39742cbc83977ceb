"""`/api/v1/simulation`: trouble made on purpose."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.simulation.knobs import Knobs
from app.web import presenters
from app.web.access import Access
from app.web.current import shop
from app.web.operation import Answer, Operation, operation
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
    return presenters.simulation(shop().simulation.knobs())


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
    knobs = Knobs(**{field: body[name] for name, field in presenters.SIMULATION_KEYS.items()})
    shop().simulation.turn(knobs)
    return presenters.simulation(shop().simulation.knobs())
