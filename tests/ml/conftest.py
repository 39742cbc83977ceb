from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from ml.train import Trained, train
from tests.support.training_books import make_books, rated_by_category, rated_by_price

FEW = 120
"""Enough for the comparison, and few enough for the tests to wait for it."""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """As in the shop's own trainer; several would only fight with the other tests for the cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def on_noise() -> Trained:
    return train(make_books(FEW))


@pytest.fixture(scope="session")
def on_price() -> Trained:
    return train(rated_by_price(make_books(FEW)))


@pytest.fixture(scope="session")
def on_category() -> Trained:
    return train(rated_by_category(make_books(FEW)))
