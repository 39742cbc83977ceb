from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from ml import candidates, compare, train
from ml.artefact import dump
from ml.compare import ALPHA, FOLDS, REPEATS, Comparison, Score, p_value_of
from ml.features import FeatureSet, matrix
from ml.predict import Predictor
from ml.train import TrainedModel, choose
from tests.ml.conftest import FEW
from tests.support.training_books import CATEGORIES, make_books, rated_by_category, rated_by_price

SHUFFLES = 30


def test_random_ratings_promote_no_candidate_and_the_verdict_says_so(
    on_noise: TrainedModel,
) -> None:
    card = on_noise.card
    assert on_noise.estimators == {}
    assert card["escolhidos"] == {"basico": None, "ampliado": None}
    assert card["veredito"] == "linha-de-base"
    assert card["frase"].startswith("Nenhum candidato supera responder sempre a avaliação mais comum")
    assert card["acuracia"] == card["linha_de_base"]["acuracia"]


def test_a_planted_signal_promotes_a_real_model_and_the_verdict_says_which(on_price: TrainedModel) -> None:
    card = on_price.card
    assert set(on_price.estimators) >= {"basico"}
    assert card["veredito"] == "supera-a-linha-de-base"
    best = max(card["candidatos"], key=lambda candidate: candidate["acuracia"])
    assert card["acuracia"] == best["acuracia"] > card["linha_de_base"]["acuracia"] + 0.3
    assert "mais do que o acaso explica" in card["frase"]


def test_a_signal_in_the_category_promotes_a_model_of_the_extended_set_only(
    on_category: TrainedModel,
) -> None:
    assert set(on_category.estimators) == {"ampliado"}
    assert "(conjunto ampliado)" in on_category.card["frase"]


def test_the_card_has_every_candidate_on_both_feature_sets(on_noise: TrainedModel) -> None:
    candidates_of_card = [
        (candidate["nome"], candidate["conjunto"]) for candidate in on_noise.card["candidatos"]
    ]
    assert sorted(candidates_of_card) == sorted(
        (name, feature_set.value) for name in candidates.CANDIDATES for feature_set in FeatureSet
    )


def test_the_baseline_is_the_share_of_the_commonest_rating(on_noise: TrainedModel) -> None:
    card = on_noise.card
    classes, baseline = card["dados"]["classes"], card["linha_de_base"]
    assert sum(classes.values()) == FEW
    assert classes[str(baseline["rating"])] == max(classes.values())
    assert baseline["acuracia"] == pytest.approx(max(classes.values()) / FEW, abs=0.01)


def test_the_same_data_make_the_same_model_and_the_same_bytes_of_card(on_price: TrainedModel) -> None:
    again = train.train(rated_by_price(make_books(FEW)))
    assert dump(again.estimators) == dump(on_price.estimators)
    assert json.dumps(again.card) == json.dumps(on_price.card)


def test_the_model_does_not_depend_on_how_many_threads_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_only(monkeypatch, "boosting_de_gradiente")
    books = rated_by_price(make_books(300))
    dumped = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            trained = train.train(books)
        assert trained.estimators
        dumped.append(dump(trained.estimators))
    assert dumped[0] == dumped[1]


def test_the_least_gain_is_below_the_gain_and_above_0(on_price: TrainedModel) -> None:
    card = on_price.card
    assert card["linha_de_base"]["acuracia"] < card["acuracia_minima"] < card["acuracia"]
    for candidate in card["candidatos"]:
        assert candidate["ganho_minimo"] < candidate["ganho"]
        assert candidate["promovido"] == (candidate["ganho_minimo"] > 0)


def test_too_few_books_are_not_compared_and_the_card_says_so() -> None:
    card = train.train(rated_by_price(make_books(train.MIN_ROWS - 1))).card
    assert card["candidatos"] == []
    assert card["veredito"] == "linha-de-base"
    assert card["frase"].startswith("Dados insuficientes")


def test_books_of_one_rating_are_not_compared() -> None:
    card = train.train([{**book, "rating": 4} for book in make_books(60)]).card
    assert card["candidatos"] == []
    assert card["linha_de_base"] == {"rating": 4, "acuracia": 1.0, "desvio": 0.0}


def test_a_rating_that_one_book_has_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_only(monkeypatch, "regressao_logistica")
    books = [{**book, "rating": 1 + number % 2} for number, book in enumerate(make_books(60))]
    books[7]["rating"] = 5
    assert len(train.train(books).card["candidatos"]) == 2


def test_with_shuffled_ratings_promotions_are_no_more_than_the_stated_error_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The quickest candidate only; benchmarks/shuffled_labels.py has all of them compete.

    Of two equally common ratings, so that guessing is as good as the baseline and chance finds the largest gains.
    """
    keep_only(monkeypatch, "regressao_logistica")
    books, rng = make_books(60), random.Random(1)
    ratings = [1 + number % 2 for number in range(60)]
    promoted = naively_certain = 0
    for _ in range(SHUFFLES):
        rng.shuffle(ratings)
        dealt = [{**book, "rating": rating} for book, rating in zip(books, ratings, strict=True)]
        _, comparisons = train.compare_candidates(dealt)
        promoted += bool(choose(comparisons))
        naively_certain += any(naive_p_value(comparison) < ALPHA for comparison in comparisons)
    assert promoted <= SHUFFLES * ALPHA
    assert naively_certain > 3 * SHUFFLES * ALPHA, "else the bound above proves nothing"


def naive_p_value(comparison: Comparison) -> float:
    """Return the p of an ordinary t-test, which takes every split for an experiment of its own."""
    corrected_t = stats.t.isf(comparison.p_value, df=FOLDS * REPEATS - 1)
    return float(stats.t.sf(corrected_t * np.sqrt(1 + FOLDS * REPEATS / (FOLDS - 1)), df=FOLDS * REPEATS - 1))


def test_the_p_value_is_that_of_the_corrected_resampled_t_test() -> None:
    gains = np.array([0.01, 0.03, -0.01, 0.02, 0.05] * REPEATS)
    # By hand: mean 0.02, variance 0.000429 (n - 1); t = mean / sqrt((1/15 + 1/4) * variance) = 1.7166, 14 degrees.
    assert p_value_of(gains) == pytest.approx(0.0540, abs=0.0005)
    uncorrected = 0.02 / np.sqrt(gains.var(ddof=1) / len(gains))
    assert uncorrected > 3.5, "which the uncorrected test would have called certain"


@pytest.mark.parametrize(("gain", "p_value"), [(0.125, 0.0), (0.0, 1.0), (-0.125, 1.0)])
def test_gains_without_any_spread_are_certain(gain: float, p_value: float) -> None:
    assert p_value_of(np.full(FOLDS * REPEATS, gain)) == p_value


def compared(name: str, feature_set: FeatureSet, mean: float, p_value: float) -> Comparison:
    return Comparison(name, feature_set, Score(mean, 0.01), mean - 0.2, mean - 0.3, p_value)


@pytest.mark.parametrize(
    ("comparisons", "chosen"),
    [
        ([("a", "basico", 0.9, 0.2), ("b", "basico", 0.5, 0.0)], {"basico": "b"}),
        ([("a", "basico", 0.6, 0.0), ("b", "basico", 0.5, 0.0)], {"basico": "a"}),
        ([("a", "basico", 0.6, 0.0), ("b", "ampliado", 0.6, 0.0)], {"basico": "a"}),
        ([("a", "basico", 0.6, 0.0), ("b", "ampliado", 0.7, 0.0)], {"basico": "a", "ampliado": "b"}),
        ([("a", "basico", 0.6, 0.9), ("b", "ampliado", 0.5, 0.0)], {"ampliado": "b"}),
        ([("a", "basico", 0.6, ALPHA / 6)], {}),
    ],
)
def test_the_best_promoted_candidate_is_served_and_the_extended_set_only_if_better(
    comparisons: list[tuple[str, str, float, float]], chosen: dict[str, str]
) -> None:
    made = [compared(name, FeatureSet(which), mean, p) for name, which, mean, p in comparisons]
    assert {feature_set.value: comparison.name for feature_set, comparison in choose(made).items()} == chosen


@pytest.mark.parametrize("name", list(candidates.CANDIDATES))
def test_the_predictor_returns_exactly_the_probabilities_of_scikit_learn(name: str) -> None:
    books = rated_by_category(make_books(FEW))
    numbers = matrix(books, FeatureSet.EXTENDED, CATEGORIES)
    estimator = candidates.CANDIDATES[name]().fit(numbers, [book["rating"] for book in books])
    predictor = Predictor({1: 1, 2: 1, 3: 1, 4: 0, 5: 0}, {"ampliado": estimator}, CATEGORIES)
    predictions = predictor.predict(books)
    assert [prediction.rating for prediction in predictions] == estimator.predict(numbers).tolist()
    expected = estimator.predict_proba(numbers)
    assert (
        np.abs(np.array([prediction.probabilities[:3] for prediction in predictions]) - expected).max()
        < 1e-12
    )
    assert all(prediction.probabilities[3:] == (0, 0) for prediction in predictions)


def keep_only(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    only: dict[str, Any] = {name: candidates.CANDIDATES[name]}
    monkeypatch.setattr(compare, "CANDIDATES", only)
    monkeypatch.setattr(train, "CANDIDATES", only)
