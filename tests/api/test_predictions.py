"""What the shop predicts: the contract's shape, one answer for each input, of one model."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.model_store import ServedModel
from ml.drift import Profile
from ml.features import BASIC_FEATURES, RATINGS, FeatureSet, Matrix
from ml.predict import Predictor
from ml.verdict import Verdict
from tests.api.conftest import open_shop
from tests.support.checks import fields_of, problem_of
from tests.support.databases import ReadyShop
from tests.support.training import ML

PREDICTIONS = f"{ML}/predictions"
SEEDS_EXAMPLE = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}
FAR_OUT = {"preco_com_taxa": 90_000, "preco_sem_taxa": 10, "disponibilidade": 1_000_000}


class ByStock:
    """Fitted to read the rating off the number of copies; or off how many five would leave, with a title."""

    classes_ = np.array(RATINGS)

    def predict_proba(self, numbers: Matrix) -> Matrix:
        stocks = numbers[:, BASIC_FEATURES.index("disponibilidade")].astype(int)
        ratings = stocks if numbers.shape[1] == len(BASIC_FEATURES) else 6 - stocks
        shares: Matrix = np.eye(len(RATINGS))[ratings - 1]
        return shares


def serve(*feature_sets: FeatureSet, profile: Profile | None = None) -> ServedModel:
    """The seventh version of a model that beats the baseline with `feature_sets`."""
    estimators = {feature_set.value: ByStock() for feature_set in feature_sets}
    predictor = Predictor(dict.fromkeys(RATINGS, 1), estimators, ["Poetry"])
    return ServedModel(7, Verdict.BEATS_BASELINE, predictor, profile)


@pytest.fixture(scope="module")
def planted(ready_shop: ReadyShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of one shop with a model that beats the baseline; only for requests that change nothing."""
    data = [
        {"preco_com_taxa": n, "preco_sem_taxa": n, "disponibilidade": n, "categoria": "Poetry"}
        for n in range(1, 6)
    ]
    served = serve(*FeatureSet, profile=Profile.of(data))
    folder = tmp_path_factory.mktemp("planted")
    with open_shop(ready_shop, folder / "data") as app, pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.extensions["shop"].models, "current", lambda: served)
        yield app.test_client()


def ask(client: FlaskClient, *books: Any, query: str = "") -> TestResponse:
    return client.post(f"{PREDICTIONS}{query}", json=list(books))


def test_the_seeds_example_is_answered_in_the_seeds_shape(trained: FlaskClient) -> None:
    response = ask(trained, SEEDS_EXAMPLE)
    assert response.status_code == 200
    assert response.get_json() == [{"input": SEEDS_EXAMPLE, "prediction": 1}]
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers


def test_the_headers_tell_the_model_and_what_to_think_of_it(trained: FlaskClient) -> None:
    headers = ask(trained, SEEDS_EXAMPLE).headers
    assert (headers["X-Model-Version"], headers["X-Model-Verdict"]) == ("1", "linha-de-base")


def test_the_headers_tell_a_model_that_beats_the_baseline(planted: FlaskClient) -> None:
    headers = ask(planted, SEEDS_EXAMPLE).headers
    assert (headers["X-Model-Version"], headers["X-Model-Verdict"]) == ("7", "supera-a-linha-de-base")


@pytest.mark.parametrize(
    ("books", "verdict"),
    [
        ([SEEDS_EXAMPLE], "linha-de-base"),
        ([SEEDS_EXAMPLE, {**SEEDS_EXAMPLE, "categoria": "Poetry"}], "linha-de-base"),
        ([SEEDS_EXAMPLE, {**SEEDS_EXAMPLE, "categoria": "Poetry", "titulo": "x"}], "supera-a-linha-de-base"),
        ([], "supera-a-linha-de-base"),
    ],
)
def test_a_model_that_has_nothing_to_say_claims_nothing(
    planted: FlaskClient, monkeypatch: pytest.MonkeyPatch, books: list[Any], verdict: str
) -> None:
    served = serve(FeatureSet.EXTENDED)
    monkeypatch.setattr(planted.application.extensions["shop"].models, "current", lambda: served)
    headers = ask(planted, *books).headers
    assert (headers["X-Model-Version"], headers["X-Model-Verdict"]) == ("7", verdict)


def test_an_empty_batch_gets_no_predictions(trained: FlaskClient) -> None:
    response = ask(trained)
    assert (response.status_code, response.get_json()) == (200, [])
    assert response.headers["X-Model-Version"] == "1"


@pytest.mark.parametrize("keys", list(itertools.permutations(SEEDS_EXAMPLE)))
def test_the_order_of_the_keys_never_matters(planted: FlaskClient, keys: tuple[str, ...]) -> None:
    book = {"preco_com_taxa": 10.5, "preco_sem_taxa": 8, "disponibilidade": 4}
    [answer] = ask(planted, {key: book[key] for key in keys}, query="?detalhes=1").get_json()
    assert answer["prediction"] == 4
    assert answer["detalhes"]["fora_da_distribuicao"] == ["preco_com_taxa"]
    assert list(answer["input"]) == list(keys)


def test_the_answers_come_in_the_order_sent(planted: FlaskClient) -> None:
    stocks = [3, 1, 5, 5, 2, 4, 1] * 40
    answers = ask(planted, *({**SEEDS_EXAMPLE, "disponibilidade": stock} for stock in stocks)).get_json()
    assert [answer["prediction"] for answer in answers] == stocks
    assert [answer["input"]["disponibilidade"] for answer in answers] == stocks


def test_each_book_is_asked_about_with_what_it_has(planted: FlaskClient) -> None:
    whole = {**SEEDS_EXAMPLE, "categoria": "Poetry", "titulo": "Cheap"}
    half = {**SEEDS_EXAMPLE, "categoria": "Poetry"}
    books = [
        {**book, "disponibilidade": stock} for stock in (5, 2, 1) for book in (whole, half, SEEDS_EXAMPLE)
    ]
    answers = ask(planted, *books, query="?detalhes=1").get_json()
    assert [answer["prediction"] for answer in answers] == [1, 5, 5, 4, 2, 2, 5, 1, 1]
    assert [answer["detalhes"]["conjunto"] for answer in answers] == ["ampliado", "basico", "basico"] * 3
    assert [answer["input"] for answer in answers] == books


@pytest.mark.parametrize(
    "book",
    [
        '{"preco_com_taxa":10,"preco_sem_taxa":10.5,"disponibilidade":1}',
        '{"preco_com_taxa":10.0,"preco_sem_taxa":0,"disponibilidade":0}',
        '{"preco_com_taxa":0.1,"preco_sem_taxa":51.77,"disponibilidade":1000000}',
        '{"preco_com_taxa":99999999,"preco_sem_taxa":99999999.0,"disponibilidade":1}',
        '{"disponibilidade":1,"preco_sem_taxa":1,"preco_com_taxa":2,"categoria":"Poetry"}',
        '{"titulo":"Ação & “Reação” 📚","preco_com_taxa":1,"preco_sem_taxa":2,"disponibilidade":1,"categoria":""}',
    ],
)
def test_an_input_comes_back_to_the_letter(trained: FlaskClient, book: str) -> None:
    response = trained.post(PREDICTIONS, data=f"[{book}]".encode(), content_type="application/json")
    assert response.text.strip() == f'[{{"input":{book},"prediction":1}}]'


@pytest.mark.parametrize(
    "extra", [{}, {"categoria": "Poetry"}, {"titulo": "Cheap"}, {"categoria": "?", "titulo": ""}]
)
def test_what_is_optional_may_be_sent_or_not(trained: FlaskClient, extra: dict[str, str]) -> None:
    book = SEEDS_EXAMPLE | extra
    assert ask(trained, book).get_json() == [{"input": book, "prediction": 1}]


def test_the_longest_texts_are_read(trained: FlaskClient) -> None:
    assert ask(trained, {**SEEDS_EXAMPLE, "categoria": "ç" * 300, "titulo": "x" * 1_000}).status_code == 200


@pytest.mark.parametrize("query", ["", "?detalhes=0"])
def test_details_come_only_when_asked_for(trained: FlaskClient, query: str) -> None:
    [answer] = ask(trained, SEEDS_EXAMPLE, query=query).get_json()
    assert set(answer) == {"input", "prediction"}


def test_the_details_of_the_baseline_are_the_shares_of_the_ratings(trained: FlaskClient) -> None:
    [answer] = ask(trained, SEEDS_EXAMPLE, query="?detalhes=1").get_json()
    assert answer["prediction"] == 1
    details = answer["detalhes"]
    assert details["conjunto"] is None
    shares = details["probabilidades"]
    assert shares == {"1": 0.333333, "2": 0.166667, "3": 0.166667, "4": 0.333333, "5": 0}
    assert sum(shares.values()) == pytest.approx(1, abs=5e-6)


def test_the_details_of_a_model_are_its_own(planted: FlaskClient) -> None:
    answers = ask(
        planted, *({**SEEDS_EXAMPLE, "disponibilidade": stock} for stock in (5, 2)), query="?detalhes=1"
    ).get_json()
    assert [answer["detalhes"]["conjunto"] for answer in answers] == ["basico", "basico"]
    assert [answer["detalhes"]["probabilidades"] for answer in answers] == [
        {"1": 0, "2": 0, "3": 0, "4": 0, "5": 1},
        {"1": 0, "2": 1, "3": 0, "4": 0, "5": 0},
    ]


def test_what_is_far_from_the_training_data_is_named(trained: FlaskClient) -> None:
    answers = ask(trained, SEEDS_EXAMPLE | {"preco_com_taxa": 50}, FAR_OUT, query="?detalhes=1").get_json()
    assert [answer["detalhes"]["fora_da_distribuicao"] for answer in answers] == [
        [],
        ["preco_com_taxa", "disponibilidade"],
    ]


def test_without_training_data_nothing_is_far_from_them(reader: FlaskClient) -> None:
    [answer] = ask(reader, FAR_OUT, query="?detalhes=1").get_json()
    assert answer["detalhes"]["fora_da_distribuicao"] == []
    assert answer["detalhes"]["conjunto"] is None
    assert sum(answer["detalhes"]["probabilidades"].values()) == pytest.approx(1, abs=5e-6)


@pytest.mark.parametrize(
    "query", ["?detalhes=", "?detalhes=2", "?detalhes=true", "?detalhes=01", "?detalhes=1&detalhes=1"]
)
def test_details_are_asked_for_with_0_or_1(trained: FlaskClient, query: str) -> None:
    assert fields_of(ask(trained, SEEDS_EXAMPLE, query=query)) == {"detalhes"}


def test_unknown_parameters_are_refused(trained: FlaskClient) -> None:
    assert fields_of(ask(trained, SEEDS_EXAMPLE, query="?x=1&batch=9")) == {"x", "batch"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_predictions_are_posted(trained: FlaskClient, method: str) -> None:
    response = trained.open(PREDICTIONS, method=method)
    problem_of(response, 405)
    assert "POST" in response.headers["Allow"]


def test_asking_twice_answers_the_same(trained: FlaskClient) -> None:
    first, second = (ask(trained, SEEDS_EXAMPLE, FAR_OUT, query="?detalhes=1").text for _ in range(2))
    assert json.loads(first) == json.loads(second)
