"""The bodies of the peers that take orders, as the shop has them."""

from typing import Annotated

from fastapi import Header, HTTPException
from pydantic import BaseModel, Field

from benchmarks.peers.common import API_KEY


class Item(BaseModel):
    product_id: int = Field(ge=0)
    quantity: int = Field(ge=1)


class NewOrder(BaseModel):
    customer_id: str = Field(min_length=1, max_length=100)
    items: list[Item] = Field(min_length=1, max_length=100)


class PlacedOrder(BaseModel):
    success: bool = True
    message: str = "Pedido criado com sucesso!"
    order_id: str
    status: str = "pending"
    total_amount: float


async def check_api_key(x_api_key: Annotated[str, Header()] = "") -> None:
    """Raise HTTPException where the key is not the shop's."""
    if x_api_key != API_KEY:
        raise HTTPException(401)
