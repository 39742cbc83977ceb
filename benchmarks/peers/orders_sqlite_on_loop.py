"""The orders of orders_sqlite.py on the event loop: handed over to no thread, and each commit stops all else."""

from fastapi import Depends, FastAPI

from benchmarks.peers import orders_sqlite
from benchmarks.peers.common import Observed
from benchmarks.peers.order_bodies import NewOrder, PlacedOrder, check_api_key

application = FastAPI()
application.add_middleware(Observed, counts=True)


@application.post("/orders", status_code=201, dependencies=[Depends(check_api_key)])
async def place_order(order: NewOrder) -> PlacedOrder:
    placed: PlacedOrder = orders_sqlite.place_order(order)
    return placed
