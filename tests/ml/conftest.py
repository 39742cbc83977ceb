from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from ml.train import TrainedModel, train
from tests.support.training_books import make_books, rated_by_category, rated_by_price

FEW = 120
"""Enough books for the comparison, and few enough for a quick training."""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Like the shop's own trainer; more threads would only compete with the other tests."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def on_noise() -> TrainedModel:
    return train(make_books(FEW))


@pytest.fixture(scope="session")
def on_price() -> TrainedModel:
    return train(rated_by_price(make_books(FEW)))


@pytest.fixture(scope="session")
def on_category() -> TrainedModel:
    return train(rated_by_category(make_books(FEW)))
