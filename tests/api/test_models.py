"""The models of a shop: their data, how they come to be, and which one is served."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from app.storage.model_files import artefact_path
from tests.api.conftest import SIX_BOOKS, publish
from tests.conftest import ADMIN
from tests.support.checks import problem_of
from tests.support.orders import API_KEY, ORDERS, order_for
from tests.support.runs import join_runs
from tests.support.training import HANG, ML, ROW, served_version, status_of

DATA_PATHS = [f"{ML}/features", f"{ML}/training-data"]
SUMMARY = {
    "versao", "em_uso", "treinado_em", "duracao_s", "versao_catalogo", "veredito", "frase", "acuracia",
    "acuracia_minima", "linha_de_base", "sha256",
}  # fmt: skip
CARD = SUMMARY | {
    "formato", "candidatos", "escolhidos", "avaliacao", "dados", "atributos", "categorias", "perfil",
    "bibliotecas", "servindo", "problema",
    "semelhanca", "categorias_sugeridas", "sha256_textos", "servindo_textos", "problema_textos",
}  # fmt: skip


@pytest.mark.parametrize("path", DATA_PATHS)
def test_the_training_data_are_the_catalogue_with_the_seeds_six_keys(reader: FlaskClient, path: str) -> None:
    assert reader.get(path).get_json() == [
        {
            "categoria": book.category,
            "disponibilidade": book.stock,
            "preco_com_taxa": float(book.price_incl_tax),
            "preco_sem_taxa": float(book.price_excl_tax),
            "rating": book.rating,
            "titulo": book.title,
        }
        for book in SIX_BOOKS
    ]


@pytest.mark.parametrize("path", DATA_PATHS)
def test_the_training_data_change_with_a_publication_only(app: Flask, client: FlaskClient, path: str) -> None:
    demonstration = client.get(path)
    assert len(demonstration.get_json()) == 1_000
    known = {"If-None-Match": demonstration.headers["ETag"]}
    assert client.get(path, headers=known).status_code == 304
    publish(app, SIX_BOOKS)
    after = client.get(path, headers=known)
    assert (after.status_code, len(after.get_json())) == (200, 6)
    assert after.headers["ETag"] != demonstration.headers["ETag"]


@pytest.mark.usefixtures("six_books")
@pytest.mark.parametrize("path", DATA_PATHS)
def test_the_training_data_tell_what_can_be_ordered_now(client: FlaskClient, path: str) -> None:
    before = client.get(path)
    assert client.post(ORDERS, json=order_for((0, 2)), headers=API_KEY).status_code == 201
    after = client.get(path)
    assert before.get_json()[0]["disponibilidade"] - after.get_json()[0]["disponibilidade"] == 2
    assert before.headers["ETag"] != after.headers["ETag"]


def test_a_shop_without_a_model_says_so_and_answers_the_commonest_rating(
    reader: FlaskClient, as_reader: dict[str, str]
) -> None:
    assert status_of(reader) == {"status": "never"}
    assert "Nenhum modelo foi treinado" in problem_of(reader.get(f"{ML}/model"), 404)["detail"]
    answer = reader.post(f"{ML}/predictions", json=[ROW])
    assert answer.get_json() == [{"input": ROW, "prediction": 1}]  # as many have 4: the lower one it is
    assert (answer.headers["X-Model-Version"], answer.headers["X-Model-Verdict"]) == ("0", "sem-modelo")
    models = reader.get(f"{ML}/models", headers=as_reader)
    assert (models.get_json(), models.headers["X-Total-Count"]) == ([], "0")


def test_the_fallback_of_a_model_follows_the_catalogue(make_app: Callable[..., Flask]) -> None:
    app = make_app(check_every_s=-1)
    client = app.test_client()
    first = client.post(f"{ML}/predictions", json=[ROW]).get_json()[0]["prediction"]
    overview = client.get("/api/v1/stats/overview").get_json()["distribuicao_ratings"]
    assert overview[str(first)] == max(overview.values())
    publish(app, SIX_BOOKS)
    assert client.post(f"{ML}/predictions", json=[ROW]).get_json()[0]["prediction"] == 1


def test_the_card_says_what_was_trained_on_what(trained: FlaskClient) -> None:
    card = trained.get(f"{ML}/model").get_json()
    assert set(card) == CARD
    assert (card["versao"], card["em_uso"], card["versao_catalogo"]) == (1, True, 2)
    assert (card["veredito"], card["servindo"], card["problema"]) == ("linha-de-base", "linha-de-base", None)
    assert card["frase"].startswith("Dados insuficientes para comparar candidatos (6 livros)")
    assert card["linha_de_base"] == {"rating": 1, "acuracia": 0.333333, "desvio": 0}
    assert card["acuracia"] == 0.333333
    assert card["candidatos"] == []
    assert card["escolhidos"] == {"basico": None, "ampliado": None}
    assert card["dados"]["linhas"] == 6
    assert card["dados"]["classes"] == {"1": 2, "2": 1, "3": 1, "4": 2, "5": 0}
    assert card["categorias"] == ["Fiction", "Historical Fiction", "Poetry", "Thriller"]
    assert set(card["bibliotecas"]) >= {"python", "scikit-learn", "numpy", "joblib"}
    assert card["duracao_s"] > 0


def test_the_digest_on_the_card_is_that_of_the_file(trained: FlaskClient) -> None:
    shop: Shop = trained.application.extensions["shop"]
    content = artefact_path(shop.settings.data_dir, 1).read_bytes()
    assert trained.get(f"{ML}/model").get_json()["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("path", ["model", "status"])
def test_what_is_public_of_a_model_has_no_user_names(trained: FlaskClient, path: str) -> None:
    response = trained.get(f"{ML}/{path}")
    assert "operadora" not in response.text
    assert "treinado_por" not in response.get_json()


def test_a_trained_shop_is_done_and_hides_no_path(trained: FlaskClient) -> None:
    status = status_of(trained)
    assert (status["status"], status["versao"], status["motivo"]) == ("done", 1, None)
    assert status["iniciado_em"] < status["terminado_em"]
    assert set(status) == {"status", "versao", "motivo", "iniciado_em", "terminado_em", "versao_catalogo"}


@pytest.mark.parametrize("path", ["/train", "/models/1/activate"])
@pytest.mark.parametrize("headers", [{}, API_KEY, {"Authorization": "Bearer x"}])
def test_who_is_not_logged_in_neither_trains_nor_chooses(
    reader: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    problem_of(reader.post(f"{ML}{path}", headers=headers), 401)
    assert status_of(reader) == {"status": "never"}


def test_a_refresh_token_trains_nothing(reader: FlaskClient) -> None:
    token = reader.post("/api/v1/auth/login", json=ADMIN).get_json()["refresh_token"]
    problem_of(reader.post(f"{ML}/train", headers={"Authorization": f"Bearer {token}"}), 401)
    assert status_of(reader) == {"status": "never"}


@pytest.mark.usefixtures("six_books")
@pytest.mark.parametrize("role", ["as_admin", "as_operator"])
def test_a_training_answers_at_once_and_its_model_serves_at_the_end(
    request: pytest.FixtureRequest,
    client: FlaskClient,
    shop: Shop,
    trainer_is: Callable[[str], None],
    quick_training: str,
    role: str,
    tmp_path: Path,
) -> None:
    headers = request.getfixturevalue(role)
    go = tmp_path / "go"
    trainer_is(f'while [ ! -e "{go}" ]; do sleep 0.02; done; {quick_training}')
    response = client.post(f"{ML}/train", headers=headers)
    assert response.status_code == 202
    assert response.headers["Location"] == f"{ML}/status"
    told = response.get_json()
    assert told["message"] == "Treino iniciado em background. Consulte o status depois."
    assert (told["status"], told["versao"], told["motivo"], told["terminado_em"]) == (
        "processing", 1, None, None,
    )  # fmt: skip
    assert status_of(client) == {key: value for key, value in told.items() if key != "message"}
    problem_of(client.get(f"{ML}/model"), 404)
    assert served_version(client) == "0"
    go.touch()
    join_runs()
    assert status_of(client)["status"] == "done"
    assert served_version(client) == "1"
    assert client.get(f"{ML}/model").get_json()["versao"] == 1
    [model] = client.get(f"{ML}/models", headers=headers).get_json()
    assert set(model) == SUMMARY | {"treinado_por"}
    assert model["treinado_por"] == {"as_admin": "admin", "as_operator": "operadora"}[role]


def test_a_second_training_is_409_while_one_runs(
    client: FlaskClient, as_admin: dict[str, str], trainer_is: Callable[[str], None]
) -> None:
    trainer_is(HANG)
    assert client.post(f"{ML}/train", headers=as_admin).status_code == 202
    problem = problem_of(client.post(f"{ML}/train", headers=as_admin), 409)
    assert "(versão 1)" in problem["detail"]
    assert status_of(client)["versao"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"versao": 9}'])
@pytest.mark.usefixtures("quick_training", "six_books")
def test_what_is_sent_along_with_the_wish_to_train_means_nothing(
    client: FlaskClient, as_admin: dict[str, str], shop: Shop, body: bytes
) -> None:
    response = client.post(f"{ML}/train", data=body, content_type="application/json", headers=as_admin)
    assert response.status_code == 202
    join_runs()
    assert served_version(client) == "1"
