"""The page Modelo without a browser: a model, none, and a prediction."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.dashboards.fake_api import CARD, PREDICTION, TEXTS, TRAINING, FakeApi
from tests.support.dashboards.pages import error_messages, open_page, page_text, tile_values

MODEL, STATUS, PREDICTIONS = "/api/v1/ml/model", "/api/v1/ml/status", "/api/v1/ml/predictions"


def change_card(shop: FakeApi, **changes: Any) -> None:
    shop.responses[MODEL] = shop.as_json({**CARD, **changes})


def change_training(shop: FakeApi, **changes: Any) -> None:
    shop.responses[STATUS] = shop.as_json({**TRAINING, **changes})


def test_the_verdict_comes_first_and_the_figures_are_those_of_the_card(shop: FakeApi) -> None:
    app = open_page("model")
    assert app.info[0].value == f"**{CARD['frase']}**"
    tiles = tile_values(app)
    assert (tiles["Acerto servido"], tiles["Linha de base"], tiles["Ganho"]) == (
        "22,6 %",
        "22,6 %",
        "0,0 p.p.",
    )
    assert (tiles["Melhor candidato"], tiles["Livros no treino"]) == ("21,0 %", "1.000")
    table = app.dataframe[0].value
    assert table["Candidato"].tolist()[:2] == ["Regressão logística", "Floresta aleatória"]
    assert table["Conjunto"].tolist() == ["Básico", "Básico", "Ampliado", "Ampliado"]
    assert table["Ganho (p.p.)"].round(1).tolist() == [-1.6, -3.1, -1.6, -3.1]


def test_a_model_that_beats_the_baseline_is_a_success(shop: FakeApi) -> None:
    change_card(shop, veredito="supera-a-linha-de-base", acuracia=0.5, frase="A floresta acertou mais.")
    app = open_page("model")
    assert [success.value for success in app.success] == ["**A floresta acertou mais.**"]
    assert tile_values(app)["Ganho"] == "27,4 p.p."


def test_without_a_model_the_page_and_the_overview_say_so(shop: FakeApi) -> None:
    del shop.responses[MODEL]
    shop.responses[STATUS] = shop.as_json({"status": "never"})
    app = open_page("model")
    assert "Ainda não há modelo treinado" in page_text(app)
    assert not app.error
    assert "Ainda não há modelo treinado" in page_text(open_page("overview"))


def test_a_rejected_model_file_is_the_first_message(shop: FakeApi) -> None:
    change_card(shop, problema="O arquivo do modelo não é o que foi gravado.", servindo="artefato-recusado")
    [message] = error_messages(open_page("model"))
    assert "A versão 4 não está em uso" in message
    assert "não é o que foi gravado" in message


def test_what_the_texts_say_is_shown_beside_chance_and_the_commonest_category(shop: FakeApi) -> None:
    change_card(shop, **TEXTS)
    app = open_page("model")
    tiles, text = tile_values(app), page_text(app)
    assert (tiles["Parecidos da mesma categoria"], tiles["O mesmo por acaso"]) == ("34,8 %", "5,6 %")
    assert (tiles["Categorias acertadas"], tiles["A categoria mais comum"]) == ("47,2 %", "14,1 %")
    assert (tiles["Livros com proposta"], tiles["Propostas certas"]) == ("10 de 219", "91,7 %")
    assert "Dos 5 primeiros livros parecidos" in text
    assert "O Bayes ingênuo complementar acertou" in text


def test_texts_that_say_nothing_are_shown_without_a_promise(shop: FakeApi) -> None:
    nothing = {"escolhido": None, "precisao_esperada": None, "cobertura_esperada": None, "propostas": 0}
    none: list[dict[str, Any]] = []
    for candidates in (TEXTS["categorias_sugeridas"]["candidatos"], none):
        categories = {**TEXTS["categorias_sugeridas"], **nothing, "candidatos": candidates}
        change_card(shop, **{**TEXTS, "categorias_sugeridas": categories})
        tiles = tile_values(open_page("model"))
        assert tiles["Livros com proposta"] == "0 de 219"
        assert "Propostas certas" not in tiles
        assert ("Categorias acertadas" in tiles) is bool(candidates)


def test_the_model_of_an_older_release_has_read_no_texts(shop: FakeApi) -> None:
    assert "não lia os textos dos livros" in page_text(open_page("model"))


def test_refused_texts_are_an_error_of_their_own(shop: FakeApi) -> None:
    change_card(shop, **{**TEXTS, "problema_textos": "Seu SHA-256 é outro."})
    [message] = error_messages(open_page("model"))
    assert "Não se mostram parecidos nem propostas" in message
    assert "Seu SHA-256 é outro." in message


def test_a_running_and_a_failed_training_are_shown(shop: FakeApi) -> None:
    change_training(shop, status="processing", versao=5)
    assert "Treinando a versão 5" in page_text(open_page("model"))
    change_training(shop, status="error", motivo="Sem memória.")
    assert "O último treino não terminou: Sem memória." in page_text(open_page("model"))


def test_a_drifted_input_is_named(shop: FakeApi) -> None:
    shop.metrics.drift.labels("preco_com_taxa").set(0.4)
    shop.metrics.far_out.labels("preco_com_taxa").inc(3)
    text = page_text(open_page("model"))
    assert "já não se parece com o treino: Preço com taxa." in text
    assert "Preço com taxa 3" in text


def predict() -> AppTest:
    """Fill in the form and send it."""
    app = open_page("model")
    app.number_input[0].set_value(1000.0)
    return app.button[0].click().run()


def test_a_prediction_is_requested_and_assessed(shop: FakeApi) -> None:
    text = page_text(predict())
    assert shop.bodies[PREDICTIONS] == [
        [{"preco_com_taxa": 1000.0, "preco_sem_taxa": 51.77, "disponibilidade": 22}]
    ]
    assert shop.queries[PREDICTIONS] == [{"detalhes": "1"}]
    assert "★★★★★ (5)" in text
    assert "probabilidade 40,0 %" in text
    assert "nenhum modelo a supera" in text
    assert "Muito fora dos dados de treino: preço com taxa" in text


def test_the_prediction_of_a_model_names_the_model(shop: FakeApi) -> None:
    shop.verdict = "supera-a-linha-de-base"
    assert "só supera a linha de base com título e categoria" in page_text(predict())
    details = {**PREDICTION["detalhes"], "conjunto": "basico"}
    shop.responses[PREDICTIONS] = shop.as_json([{**PREDICTION, "detalhes": details}])
    assert "É do modelo 4" in page_text(predict())


@pytest.mark.parametrize("body", ["", "[]", "{}", '[{"prediction": 9}]', "[[]]"])
def test_a_malformed_prediction_is_reported(shop: FakeApi, body: str) -> None:
    shop.responses[PREDICTIONS] = (200, body)
    assert "não entende" in page_text(predict())


def test_the_apis_error_for_a_prediction_is_passed_on(shop: FakeApi) -> None:
    shop.responses[PREDICTIONS] = shop.as_json({"detail": "Preço alto demais."}, 400)
    assert "Preço alto demais." in page_text(predict())
