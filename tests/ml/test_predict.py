from __future__ import annotations

from typing import Any

from ml.features import FeatureSet
from ml.predict import Predictor
from ml.train import TrainedModel
from tests.support.training_books import make_books, rated_by_category

COUNTS = {1: 20, 2: 50, 3: 10, 4: 10, 5: 10}


def bare(book: dict[str, Any]) -> dict[str, Any]:
    return {name: book[name] for name in ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")}


def predictor_of(trained: TrainedModel) -> Predictor:
    return Predictor(COUNTS, trained.estimators, trained.card["categorias"])


def test_the_baseline_predicts_the_commonest_rating_with_the_shares_of_all() -> None:
    predictions = Predictor(COUNTS, {}, ()).predict(make_books(2))
    assert [prediction.rating for prediction in predictions] == [2, 2]
    assert predictions[0].probabilities == (0.2, 0.5, 0.1, 0.1, 0.1)
    assert predictions[0].feature_set is None


def test_without_books_the_baseline_still_predicts() -> None:
    (prediction,) = Predictor(dict.fromkeys(range(1, 6), 0), {}, ()).predict(make_books(1))
    assert prediction.rating == 1
    assert prediction.probabilities == (0.2,) * 5


def test_a_model_of_the_basic_set_predicts_every_row(on_price: TrainedModel) -> None:
    predictor = predictor_of(on_price)
    dear, cheap = (
        {"preco_com_taxa": price, "preco_sem_taxa": price, "disponibilidade": 9} for price in (58.0, 11.0)
    )
    assert [prediction.rating for prediction in predictor.predict([dear, cheap, dear])] == [5, 1, 5]
    assert all(prediction.feature_set is FeatureSet.BASIC for prediction in predictor.predict([dear]))


def test_each_row_of_a_batch_is_predicted_from_its_own_features(on_category: TrainedModel) -> None:
    books = rated_by_category(make_books(40, seed=5))
    mixed = [book if position % 2 else bare(book) for position, book in enumerate(books)]
    predictions = predictor_of(on_category).predict(mixed)
    for position, (book, prediction) in enumerate(zip(books, predictions, strict=True)):
        if position % 2:
            assert (prediction.rating, prediction.feature_set) == (book["rating"], FeatureSet.EXTENDED)
        else:
            assert (prediction.rating, prediction.feature_set) == (2, None)


def test_an_unknown_category_is_predicted_by_the_baseline(on_category: TrainedModel) -> None:
    book = {**make_books(1)[0], "categoria": "Never seen"}
    (prediction,) = predictor_of(on_category).predict([book])
    assert (prediction.rating, prediction.feature_set) == (2, None)


def test_no_rows_give_no_predictions(on_price: TrainedModel) -> None:
    assert predictor_of(on_price).predict([]) == []


def test_probabilities_sum_to_one(on_price: TrainedModel) -> None:
    for prediction in predictor_of(on_price).predict(make_books(50)):
        assert abs(sum(prediction.probabilities) - 1) < 1e-9
