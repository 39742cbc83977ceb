"""The page Modelo without a browser: what it says of a model, of none, and of one prediction."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.dashboards.fake_api import CARD, PREDICTION, TRAINING, FakeApi
from tests.support.dashboards.pages import figures, open_page, words


@pytest.fixture
def shop(fake_api: FakeApi, dashboard_of: pytest.MonkeyPatch) -> FakeApi:
    dashboard_of.setenv("API_URL", fake_api.url)
    return fake_api


def test_the_verdict_comes_first_and_the_figures_are_the_cards(shop: FakeApi) -> None:
    app = open_page("model")
    assert app.info[0].value == f"**{CARD['frase']}**"
    shown = figures(app)
    assert (shown["Acerto servido"], shown["Linha de base"], shown["Ganho"]) == (
        "22,6 %",
        "22,6 %",
        "0,0 p.p.",
    )
    assert (shown["Melhor candidato"], shown["Livros no treino"]) == ("21,0 %", "1.000")
    table = app.dataframe[0].value
    assert table["Candidato"].tolist()[:2] == ["Regressão logística", "Floresta aleatória"]
    assert table["Conjunto"].tolist() == ["Básico", "Básico", "Ampliado", "Ampliado"]
    assert table["Ganho (p.p.)"].round(1).tolist() == [-1.6, -3.1, -1.6, -3.1]


def test_a_model_that_is_worth_something_is_a_success(shop: FakeApi) -> None:
    better = {
        **CARD,
        "veredito": "supera-a-linha-de-base",
        "acuracia": 0.5,
        "frase": "A floresta acertou mais.",
    }
    shop.replies["/api/v1/ml/model"] = shop.as_json(better)
    app = open_page("model")
    assert [success.value for success in app.success] == ["**A floresta acertou mais.**"]
    assert figures(app)["Ganho"] == "27,4 p.p."


def test_without_a_model_the_page_and_the_overview_say_so(shop: FakeApi) -> None:
    del shop.replies["/api/v1/ml/model"]
    shop.replies["/api/v1/ml/status"] = shop.as_json({"status": "never"})
    app = open_page("model")
    assert "Ainda não há modelo treinado" in words(app)
    assert not app.error
    assert "Ainda não há modelo treinado" in words(open_page("overview"))


def test_a_refused_artefact_is_the_first_thing_said(shop: FakeApi) -> None:
    refused = {
        **CARD,
        "problema": "O arquivo do modelo não é o que foi gravado.",
        "servindo": "artefato-recusado",
    }
    shop.replies["/api/v1/ml/model"] = shop.as_json(refused)
    [error] = open_page("model").error
    assert "A versão 4 não está em uso" in error.value
    assert "não é o que foi gravado" in error.value


def test_a_training_that_runs_or_failed_is_told(shop: FakeApi) -> None:
    shop.replies["/api/v1/ml/status"] = shop.as_json({**TRAINING, "status": "processing", "versao": 5})
    assert "Treinando a versão 5" in words(open_page("model"))
    shop.replies["/api/v1/ml/status"] = shop.as_json(
        {**TRAINING, "status": "error", "motivo": "Sem memória."}
    )
    assert "O último treino não terminou: Sem memória." in words(open_page("model"))


def test_an_input_that_drifted_is_named(shop: FakeApi) -> None:
    shop.metrics.drift.labels("preco_com_taxa").set(0.4)
    shop.metrics.far_out.labels("preco_com_taxa").inc(3)
    text = words(open_page("model"))
    assert "já não se parece com o treino: Preço com taxa." in text
    assert "Preço com taxa 3" in text


def ask(app: AppTest) -> AppTest:
    app.number_input[0].set_value(1000.0)
    return app.button[0].click().run()


def test_one_prediction_is_asked_for_and_judged(shop: FakeApi) -> None:
    app = ask(open_page("model"))
    assert shop.sent["/api/v1/ml/predictions"] == [
        [{"preco_com_taxa": 1000.0, "preco_sem_taxa": 51.77, "disponibilidade": 22}]
    ]
    assert shop.asked["/api/v1/ml/predictions"] == [{"detalhes": "1"}]
    text = words(app)
    assert "★★★★★ (5)" in text
    assert "probabilidade 40,0 %" in text
    assert "nenhum modelo a supera" in text
    assert "Muito fora dos dados de treino: preço com taxa" in text


def test_a_real_models_prediction_says_whose_it_is(shop: FakeApi) -> None:
    shop.verdict = "supera-a-linha-de-base"
    assert "só supera a linha de base com título e categoria" in words(ask(open_page("model")))
    details = {**PREDICTION["detalhes"], "conjunto": "basico"}  # type: ignore[dict-item]
    shop.replies["/api/v1/ml/predictions"] = shop.as_json([{**PREDICTION, "detalhes": details}])
    assert "É do modelo 4" in words(ask(open_page("model")))


@pytest.mark.parametrize("answer", ["", "[]", "{}", '[{"prediction": 9}]', "[[]]"])
def test_a_malformed_prediction_is_told(shop: FakeApi, answer: str) -> None:
    shop.replies["/api/v1/ml/predictions"] = (200, answer)
    assert "não entende" in words(ask(open_page("model")))


def test_what_the_api_says_against_a_prediction_is_passed_on(shop: FakeApi) -> None:
    shop.replies["/api/v1/ml/predictions"] = shop.as_json({"detail": "Preço alto demais."}, 400)
    assert "Preço alto demais." in words(ask(open_page("model")))
