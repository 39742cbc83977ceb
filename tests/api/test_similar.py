"""Books that are alike, and categories for books without one, as the model in use found them in the texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request_started
from flask.testing import FlaskClient
from sqlalchemy import update

from app.shop import Shop
from app.storage.catalogue import load_texts
from app.storage.models import TrainingRow
from ml.texts import count_words
from ml.train_texts import train_on
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.checks import problem_of
from tests.support.exposition import read_samples, value
from tests.support.orders import API_KEY, ORDERS, order_for
from tests.support.runs import join_runs
from tests.support.training import ML, copy_model, served_version, train
from tests.support.training_texts import make_book_texts, text_of

BOOKS = "/api/v1/books"
TOLD = make_book_texts(160)
"""A tenth of them has the category Default; the first word of a title tells what it should be."""


@pytest.fixture(scope="session")
def text_files(model_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a rating model of SIX_BOOKS, and of what the texts of TOLD say."""
    folder = tmp_path_factory.mktemp("texts")
    trained = train_on(count_words(text_of(*pair) for pair in enumerate(TOLD)))
    card = json.loads((model_files / "ficha.json").read_bytes()) | trained.card
    (folder / "ficha.json").write_text(json.dumps(card))
    (folder / "modelo.joblib").write_bytes((model_files / "modelo.joblib").read_bytes())
    (folder / "textos.npz").write_bytes(trained.content)
    return folder


@pytest.fixture
def told(app: Flask, shop: Shop, trainer_is: Callable[[str], None], text_files: Path) -> Flask:
    """A shop with TOLD on sale and trained on."""
    publish(app, TOLD)
    trainer_is(copy_model(text_files))
    train(shop)
    return app


def similar(client: FlaskClient, book_id: int, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{BOOKS}/{book_id}/similar{query}")
    assert response.status_code == 200, response.text
    books: list[dict[str, Any]] = response.get_json()
    return books


def proposed(client: FlaskClient) -> int:
    """The id of a book whose category is proposed."""
    details = (client.get(f"{BOOKS}/{number}").get_json() for number in range(9, len(TOLD), 10))
    book_id: int = next(book["id"] for book in details if "categoria_sugerida" in book)
    return book_id


def damage_texts(shop: Shop, content: bytes | None = b"tampered with") -> None:
    with shop.database.writing() as session:
        session.execute(update(TrainingRow).where(TrainingRow.id == 1).values(texts=content))


@pytest.mark.usefixtures("told")
def test_similar_books_come_best_first_with_the_words_they_share(client: FlaskClient) -> None:
    books = similar(client, 0)
    assert 1 < len(books) <= 20
    assert 0 not in [book["id"] for book in books]
    shares = [book["similaridade"] for book in books]
    assert shares == sorted(shares, reverse=True)
    own = (TOLD[0].title + TOLD[0].description).casefold()
    for book in books:
        listed = client.get(f"{BOOKS}/{book['id']}").get_json()
        assert {
            key: listed[key] for key in book if key not in ("similaridade", "motivos")
        }.items() <= book.items()
        assert set(book) == {*client.get(BOOKS).get_json()[0], "similaridade", "motivos"}
        other = TOLD[book["id"]]
        assert 1 <= len(book["motivos"]) <= 3
        assert all(word.casefold() in own for word in book["motivos"])
        assert all(word in f"{other.title} {other.description}" for word in book["motivos"])


@pytest.mark.usefixtures("told")
def test_a_limit_cuts_the_list(client: FlaskClient) -> None:
    assert similar(client, 0, "?limit=2") == similar(client, 0)[:2]
    for wrong in ("limit=0", "limit=21", "limit=x", "disponiveis=2", "disponivel=1"):
        problem_of(client.get(f"{BOOKS}/0/similar?{wrong}"), 400)


def test_those_in_stock_come_first_if_asked_for(told: Flask, client: FlaskClient) -> None:
    best = similar(client, 0)[0]
    order = order_for((best["id"], best["disponibilidade"]))
    assert client.post(ORDERS, json=order, headers=API_KEY).status_code == 201
    books = similar(client, 0)
    assert (books[0]["id"], books[0]["disponibilidade"]) == (best["id"], 0)
    in_stock_first = similar(client, 0, "?disponiveis=1")
    assert in_stock_first == [*books[1:], books[0]]
    assert similar(client, 0, "?disponiveis=0") == books


@pytest.mark.parametrize("book_id", [160, 2**31 - 1, 10**20])
@pytest.mark.usefixtures("told")
def test_a_book_that_is_not_there_is_like_none(client: FlaskClient, book_id: int) -> None:
    problem_of(client.get(f"{BOOKS}/{book_id}/similar"), 404)


@pytest.mark.usefixtures("told")
def test_the_headers_name_the_model_and_its_worth(client: FlaskClient) -> None:
    headers = client.get(f"{BOOKS}/0/similar").headers
    assert (headers["X-Model-Version"], headers["X-Model-Verdict"]) == ("1", "supera-a-linha-de-base")


@pytest.mark.usefixtures("six_books")
def test_before_a_training_nothing_is_alike_and_the_answer_says_why(client: FlaskClient) -> None:
    response = client.get(f"{BOOKS}/0/similar")
    assert (response.status_code, response.get_json()) == (200, [])
    assert (response.headers["X-Model-Version"], response.headers["X-Model-Verdict"]) == ("0", "sem-modelo")


@pytest.mark.usefixtures("six_books", "quick_training")
def test_where_the_texts_say_nothing_nothing_is_alike(client: FlaskClient, shop: Shop) -> None:
    train(shop)
    response = client.get(f"{BOOKS}/0/similar")
    assert response.get_json() == []
    assert (response.headers["X-Model-Version"], response.headers["X-Model-Verdict"]) == (
        "1",
        "linha-de-base",
    )
    assert "categoria_sugerida" not in client.get(f"{BOOKS}/0").get_json()


@pytest.mark.usefixtures("told")
def test_a_book_without_a_category_is_proposed_the_right_one(client: FlaskClient) -> None:
    book_id = proposed(client)
    book = client.get(f"{BOOKS}/{book_id}").get_json()
    assert book["categoria"] == "Default"
    assert book["categoria_sugerida"]["categoria"] == book["titulo"].split()[0]
    assert 0.8 <= book["categoria_sugerida"]["certeza"] < 1


@pytest.mark.usefixtures("told")
def test_a_book_with_a_category_is_proposed_none_and_lists_show_no_proposal(client: FlaskClient) -> None:
    assert "categoria_sugerida" not in client.get(f"{BOOKS}/0").get_json()
    assert "categoria_sugerida" not in client.get(BOOKS).text
    assert "categoria_sugerida" not in client.get(f"{BOOKS}/search?categoria=Default").text


def test_a_category_entered_since_the_training_ends_the_proposal(told: Flask, client: FlaskClient) -> None:
    book_id = proposed(client)
    publish(told, [replace(book, category="Poetry") for book in TOLD])
    assert "categoria_sugerida" not in client.get(f"{BOOKS}/{book_id}").get_json()


def test_books_that_left_are_skipped_and_new_ones_wait_for_the_next_training(
    told: Flask, client: FlaskClient
) -> None:
    before = similar(client, 0)
    gone = before[0]["id"]
    new = make_book_texts(161)[160]
    publish(told, [*(book for place, book in enumerate(TOLD) if place != gone), new])
    assert [book["id"] for book in similar(client, 0)] == [book["id"] for book in before[1:]]
    assert similar(client, 160) == []
    problem_of(client.get(f"{BOOKS}/{gone}/similar"), 404)


def test_what_the_texts_of_the_demonstration_say_is_not_said_of_the_books_that_get_its_ids(
    app: Flask,
    client: FlaskClient,
    shop: Shop,
    trainer_is: Callable[[str], None],
    text_files: Path,
    as_operator: dict[str, str],
    make_app: Callable[..., Flask],
) -> None:
    trainer_is(copy_model(text_files))
    train(shop)
    assert similar(client, 0)
    publish(app, TOLD)
    for other in (client, make_app().test_client()):
        assert [similar(other, 0), "categoria_sugerida" in other.get(f"{BOOKS}/9").text] == [[], False]
    train(shop)
    assert similar(client, 0)
    assert client.post(f"{ML}/models/1/activate", headers=as_operator).status_code == 200
    response = client.get(f"{BOOKS}/0/similar")
    assert (response.get_json(), response.headers["X-Model-Verdict"]) == ([], "sem-modelo")


@pytest.mark.parametrize("kept", [True, False])
def test_a_new_model_outdates_what_shows_something_of_it_and_nothing_else(
    make_app: Callable[..., Flask], trainer_is: Callable[[str], None], text_files: Path, kept: bool
) -> None:
    app = make_app() if kept else make_app(response_cache_bytes=0)
    client, shop = app.test_client(), app.extensions["shop"]
    publish(app, TOLD)
    trainer_is(copy_model(text_files))
    train(shop)
    changing = (f"{BOOKS}/{proposed(client)}", f"{BOOKS}/0/similar")
    lasting = (f"{BOOKS}/0", BOOKS, f"{BOOKS}/search?titulo=poetry", "/api/v1/categories")
    tags = {path: client.get(path).headers["ETag"] for path in (*changing, *lasting)}
    for path, tag in tags.items():
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    train(shop)
    for path in changing:
        again = client.get(path, headers={"If-None-Match": tags[path]})
        assert (again.status_code, again.headers["ETag"] == tags[path]) == (200, False), path
    for path in lasting:
        assert client.get(path, headers={"If-None-Match": tags[path]}).status_code == 304, path
    assert client.get(f"{BOOKS}/0/similar").headers["X-Model-Version"] == "2"


def test_a_kept_response_is_sent_without_asking_flask(told: Flask, client: FlaskClient) -> None:
    paths = (f"{BOOKS}/{proposed(client)}", f"{BOOKS}/0/similar?limit=3")
    first = [client.get(path).data for path in paths]
    asked: list[str] = []

    def note(_sender: Flask, **_more: Any) -> None:
        asked.append("Flask")

    with request_started.connected_to(note, told):
        assert [client.get(path).data for path in paths] == first
    assert asked == []


def test_a_sale_outdates_the_similar_books_that_show_the_stock(told: Flask, client: FlaskClient) -> None:
    before = similar(client, 0)
    assert client.post(ORDERS, json=order_for((before[0]["id"], 1)), headers=API_KEY).status_code == 201
    assert similar(client, 0)[0]["disponibilidade"] == before[0]["disponibilidade"] - 1


def test_an_older_version_brings_back_what_it_found_in_the_texts(
    told: Flask,
    client: FlaskClient,
    shop: Shop,
    as_operator: dict[str, str],
    make_app: Callable[..., Flask],
    trainer_is: Callable[[str], None],
    quick_training: str,
) -> None:
    other = make_app(check_every_s=-1).test_client()
    found = similar(client, 0)
    trainer_is(quick_training)
    train(shop)
    assert similar(client, 0) == similar(other, 0) == []
    assert client.post(f"{ML}/models/1/activate", headers=as_operator).status_code == 200
    assert similar(client, 0) == similar(other, 0) == found
    assert client.get(f"{BOOKS}/0/similar").headers["X-Model-Version"] == "1"


@pytest.mark.usefixtures("told")
def test_the_card_shows_both_beside_chance_and_the_baseline(client: FlaskClient) -> None:
    card = client.get(f"{ML}/model").get_json()
    likeness, categories = card["semelhanca"], card["categorias_sugeridas"]
    assert likeness["mesma_categoria"] > likeness["acaso"]
    assert categories["linha_de_base"]["acuracia"] < max(
        each["acuracia"] for each in categories["candidatos"]
    )
    assert categories["precisao_esperada"] >= categories["precisao_minima"] >= 0.8
    assert categories["propostas"] > 0
    assert (card["servindo_textos"], card["problema_textos"]) == ("supera-a-linha-de-base", None)


@pytest.mark.parametrize("content", [b"tampered with", b"", None])
@pytest.mark.usefixtures("told")
def test_damaged_findings_are_refused_while_the_rating_model_is_served(
    make_app: Callable[..., Flask],
    shop: Shop,
    client: FlaskClient,
    content: bytes | None,
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    tag = client.get(f"{BOOKS}/0/similar").headers["ETag"]
    damage_texts(shop, content)
    client = make_app().test_client()
    response = client.get(f"{BOOKS}/0/similar", headers={"If-None-Match": tag})
    assert response.get_json() == []
    assert (response.headers["X-Model-Version"], response.headers["X-Model-Verdict"]) == (
        "0",
        "artefato-recusado",
    )
    assert "categoria_sugerida" not in client.get(f"{BOOKS}/9").get_json()
    card = client.get(f"{ML}/model").get_json()
    assert (card["servindo_textos"], card["servindo"]) == ("artefato-recusado", "linha-de-base")
    assert "SHA-256" in card["problema_textos"]
    assert (served_version(client), card["problema"]) == ("1", None)
    assert "text_model_refused" in [line["message"] for line in log_lines()]
    assert value(read_samples(client.get("/metrics").text), "livraria_model_refused") == 1


@pytest.mark.usefixtures("told")
def test_refused_findings_are_replaced_by_a_training(make_app: Callable[..., Flask], shop: Shop) -> None:
    damage_texts(shop)
    app = make_app(ml_auto_train=True)
    other: Shop = app.extensions["shop"]
    other.trainings.start_if_needed()
    join_runs()
    client = app.test_client()
    assert client.get(f"{BOOKS}/0/similar").headers["X-Model-Version"] == "2"
    assert similar(client, 0)
    assert value(read_samples(client.get("/metrics").text), "livraria_model_refused") == 0


@pytest.mark.usefixtures("told")
def test_the_model_of_an_older_release_serves_until_a_training_adds_what_it_lacks(
    make_app: Callable[..., Flask], shop: Shop
) -> None:
    with shop.database.writing() as session:
        row = session.get_one(TrainingRow, 1)
        card = {
            key: part
            for key, part in (row.card or {}).items()
            if key not in ("semelhanca", "categorias_sugeridas")
        }
        row.card, row.texts, row.texts_digest = card, None, None
    app = make_app(ml_auto_train=True)
    client, other = app.test_client(), app.extensions["shop"]
    assert served_version(client) == "1"
    assert client.get(f"{BOOKS}/0/similar").headers["X-Model-Verdict"] == "sem-modelo"
    shown = client.get(f"{ML}/model").get_json()
    assert (shown["semelhanca"], shown["categorias_sugeridas"], shown["sha256_textos"]) == (None, None, None)
    assert (shown["servindo_textos"], shown["problema_textos"]) == ("sem-modelo", None)
    other.trainings.start_if_needed()
    join_runs()
    assert client.get(f"{BOOKS}/0/similar").headers["X-Model-Version"] == "2"
    other.trainings.start_if_needed()
    join_runs()
    assert client.get(f"{ML}/status").get_json()["versao"] == 2


@pytest.mark.parametrize("left", ['rm "$OUT/textos.npz"', 'echo lixo > "$OUT/textos.npz"'])
def test_a_training_that_leaves_no_findings_is_no_success(
    told: Flask,
    client: FlaskClient,
    shop: Shop,
    trainer_is: Callable[[str], None],
    text_files: Path,
    left: str,
) -> None:
    trainer_is(f"{copy_model(text_files)}; {left}")
    assert train(shop).status == "error"
    assert client.get(f"{BOOKS}/0/similar").headers["X-Model-Version"] == "1"


def test_the_trainer_reads_the_texts_of_the_books_on_sale(
    app: Flask, shop: Shop, trainer_is: Callable[[str], None], tmp_path: Path
) -> None:
    publish(app, SIX_BOOKS)
    publish(app, SIX_BOOKS[:-1])
    copy = tmp_path / "textos.ndjson"
    trainer_is(f'cp "$TEXTS" "{copy}"')
    train(shop)
    sent = [json.loads(line) for line in copy.read_text().splitlines()]
    assert sent == [text_of(*pair) for pair in enumerate(SIX_BOOKS[:-1])]
    with shop.database.reading() as session:
        assert list(load_texts(session)) == sent
