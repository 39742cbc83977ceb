"""Trainings that begin of themselves: where the catalogue has no model yet, or its model can't be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from app.core.runs import RunStatus
from app.processes import own_identity
from app.shop import Shop
from app.storage import training
from app.storage.models import TrainingRow
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.runs import join_runs
from tests.support.training import HANG, damage_model, status_of, train, train_elsewhere


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """A shop that trains of itself whenever it is asked whether it should."""
    app = make_app(ml_auto_train=True)
    publish(app, SIX_BOOKS)
    return app


def look(shop: Shop) -> list[tuple[int, str, str]]:
    """Every training there is after the shop has looked whether it needs one: version, outcome and who began it."""
    shop.trainings.start_if_needed()
    join_runs()
    with shop.database.reading() as session:
        runs, _ = training.RUNS.page(session, 0, 100)
    return [(run.id, run.status, run.started_by) for run in reversed(runs)]


@pytest.mark.usefixtures("quick_training")
def test_a_catalogue_is_trained_on_once(app: Flask, shop: Shop) -> None:
    assert look(shop) == [(1, "done", "publicacao")]
    assert look(shop) == [(1, "done", "publicacao")]
    publish(app, SIX_BOOKS[:-1])
    assert [row[:2] for row in look(shop)] == [(1, "done"), (2, "done")]
    assert status_of(app.test_client())["versao_catalogo"] == 3


@pytest.mark.usefixtures("quick_training")
def test_a_shop_told_not_to_train_of_itself_does_not(make_app: Callable[..., Flask]) -> None:
    shop: Shop = make_app(ml_auto_train=False).extensions["shop"]
    assert look(shop) == []


@pytest.mark.usefixtures("quick_training")
def test_a_model_that_a_user_asked_for_will_do(shop: Shop) -> None:
    train(shop, "operadora")
    assert look(shop) == [(1, "done", "operadora")]


@pytest.mark.usefixtures("quick_training")
def test_going_back_to_an_older_catalogues_model_trains_nothing(app: Flask, shop: Shop) -> None:
    train(shop)
    publish(app, SIX_BOOKS[:-1])
    train(shop)
    shop.trainings.activate(1, "operadora")
    assert len(look(shop)) == 2
    assert shop.models.current().version == 1


def test_a_training_that_fails_is_not_begun_again_at_once(
    app: Flask, shop: Shop, trainer_is: Callable[[str], None]
) -> None:
    trainer_is("exit 3")
    assert look(shop) == [(1, "error", "publicacao")]
    assert len(look(shop)) == 1
    with shop.database.writing() as session:
        row = session.get_one(TrainingRow, 1)
        assert row.ended_at is not None
        row.ended_at -= timedelta(minutes=11)
    assert len(look(shop)) == 2
    publish(app, SIX_BOOKS[:-1])
    assert len(look(shop)) == 3


@pytest.mark.usefixtures("quick_training")
def test_a_training_that_was_interrupted_is_begun_again(shop: Shop) -> None:
    train_elsewhere(shop, status=RunStatus.INTERRUPTED)
    assert [row[:2] for row in look(shop)] == [(1, "interrupted"), (2, "done")]


@pytest.mark.parametrize(("deaths", "begun"), [(1, 1), (2, 0)])
@pytest.mark.usefixtures("quick_training")
def test_one_death_of_the_server_is_tried_again_at_once_and_a_second_waits(
    shop: Shop, deaths: int, begun: int
) -> None:
    for _ in range(deaths):
        train_elsewhere(shop, own_identity() + "x")
        shop.trainings.reap_stale_runs()
    assert len(look(shop)) == deaths + begun


def test_nothing_is_begun_beside_another_training(shop: Shop, trainer_is: Callable[[str], None]) -> None:
    trainer_is(HANG)
    train_elsewhere(shop, "another.machine:1:0")
    assert [row[:2] for row in look(shop)] == [(1, "processing")]


@pytest.mark.usefixtures("quick_training")
def test_a_model_that_is_refused_is_replaced_but_not_again_and_again(
    make_app: Callable[..., Flask], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(shop)
    damage_model(shop)
    other: Shop = make_app(ml_auto_train=True).extensions["shop"]
    refused = other.models.current()
    assert refused.problem is not None
    assert [row[:2] for row in look(other)] == [(1, "done"), (2, "done")]
    assert (other.models.current().version, other.models.current().problem) == (2, None)
    monkeypatch.setattr(other.models, "current", lambda: refused)
    assert len(look(other)) == 2


@pytest.mark.usefixtures("quick_training")
def test_a_shop_that_is_stopping_begins_nothing(shop: Shop) -> None:
    shop.trainings.stop()
    assert look(shop) == []
