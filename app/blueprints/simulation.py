"""`/api/v1/simulation`: trouble made on purpose."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.simulation.faults import SimulationSettings
from app.web.access import Access
from app.web.context import shop
from app.web.endpoint import operation
from app.web.presenters.simulation import SIMULATION_KEYS, present_simulation
from app.web.schemas.simulation import NewSimulation, ShownSimulation

simulation = Blueprint("simulation", __name__, url_prefix="/api/v1/simulation")


@simulation.get("")
@operation("Mostra a simulação", access=Access.ADMIN, ok="Os ajustes em vigor", response=ShownSimulation())
def show_simulation() -> ResponseReturnValue:
    return present_simulation(shop().simulation.settings())


@simulation.put("")
@operation(
    "Ajusta a simulação",
    description="Vale para todos os processos em até um segundo, e até o próximo ajuste. `{}` desliga tudo.",
    access=Access.ADMIN,
    body=NewSimulation(),
    ok="Os ajustes em vigor",
    response=ShownSimulation(),
)
def set_simulation(body: dict[str, Any]) -> ResponseReturnValue:
    settings = {field: body[name] for name, field in SIMULATION_KEYS.items()}
    shop().simulation.set(SimulationSettings(**settings))
    return present_simulation(shop().simulation.settings())
