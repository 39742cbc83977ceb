from __future__ import annotations

from typing import Any

from ml.features import FeatureSet
from ml.predict import Predictor
from ml.train import Trained
from tests.support.training_books import make_books, rated_by_category

COUNTS = {1: 20, 2: 50, 3: 10, 4: 10, 5: 10}


def bare(book: dict[str, Any]) -> dict[str, Any]:
    return {name: book[name] for name in ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")}


def predictor_of(trained: Trained) -> Predictor:
    return Predictor(COUNTS, trained.estimators, trained.card["categorias"])


def test_the_baseline_answers_the_commonest_rating_and_the_shares_of_all() -> None:
    answers = Predictor(COUNTS, {}, ()).predict(make_books(2))
    assert [answer.rating for answer in answers] == [2, 2]
    assert answers[0].probabilities == (0.2, 0.5, 0.1, 0.1, 0.1)
    assert answers[0].feature_set is None


def test_a_shop_without_books_still_answers() -> None:
    (answer,) = Predictor(dict.fromkeys(range(1, 6), 0), {}, ()).predict(make_books(1))
    assert answer.rating == 1
    assert answer.probabilities == (0.2,) * 5


def test_a_model_of_the_basic_set_answers_every_row(on_price: Trained) -> None:
    predictor = predictor_of(on_price)
    dear, cheap = (
        {"preco_com_taxa": price, "preco_sem_taxa": price, "disponibilidade": 9} for price in (58.0, 11.0)
    )
    assert [answer.rating for answer in predictor.predict([dear, cheap, dear])] == [5, 1, 5]
    assert all(answer.feature_set is FeatureSet.BASIC for answer in predictor.predict([dear]))


def test_rows_of_one_batch_are_each_answered_from_what_they_bring(on_category: Trained) -> None:
    books = rated_by_category(make_books(40, seed=5))
    mixed = [book if place % 2 else bare(book) for place, book in enumerate(books)]
    answers = predictor_of(on_category).predict(mixed)
    for place, (book, answer) in enumerate(zip(books, answers, strict=True)):
        if place % 2:
            assert (answer.rating, answer.feature_set) == (book["rating"], FeatureSet.EXTENDED)
        else:
            assert (answer.rating, answer.feature_set) == (2, None)


def test_of_a_category_never_seen_a_model_of_categories_says_nothing(on_category: Trained) -> None:
    book = {**make_books(1)[0], "categoria": "Never seen"}
    (answer,) = predictor_of(on_category).predict([book])
    assert (answer.rating, answer.feature_set) == (2, None)


def test_no_rows_get_no_answers(on_price: Trained) -> None:
    assert predictor_of(on_price).predict([]) == []


def test_probabilities_sum_to_one(on_price: Trained) -> None:
    for answer in predictor_of(on_price).predict(make_books(50)):
        assert abs(sum(answer.probabilities) - 1) < 1e-9
