"""`/api/v1/ml`: training data, the model and what it predicts."""

from functools import partial
from typing import Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import ModelNotFound
from app.core.split import is_test_book
from app.web import pagination
from app.web.access import Access, caller
from app.web.context import catalogue, shop
from app.web.endpoint import operation
from app.web.presenters.catalogue import present_training_rows
from app.web.presenters.training import (
    present_model_card,
    present_model_summary,
    present_predictions,
    present_training_progress,
)
from app.web.rows import Rows
from app.web.schemas.training import (
    ModelCard,
    ModelSummary,
    PredictionInput,
    PredictionsQuery,
    ShownPrediction,
    TrainingBook,
    TrainingDataQuery,
    TrainingProgress,
    TrainingStarted,
)
from app.web.versions import DependsOn
from ml.verdict import VERDICT_HEADERS

ml = Blueprint("ml", __name__, url_prefix="/api/v1/ml")


@ml.get("/training-data")
@ml.get("/features")
@operation(
    "Dados de treino",
    description=(
        "O catálogo inteiro, como o treino o lê; com `divisao`, só a parte para treinar ou só a parte para testar. "
        "`features` e `training-data` respondem o mesmo. Um livro é de teste se os primeiros 64 bits do SHA-256 de "
        "`semente:id`, divididos por 2^64, dão menos que `fracao`: ele fica sempre do mesmo lado, mesmo que outros "
        "entrem ou saiam, e a parte de teste tem cerca de `fracao` dos livros."
    ),
    access=Access.PUBLIC,
    query=TrainingDataQuery(),
    ok="Os livros",
    response=TrainingBook(many=True),
    table="treino",
    versioned=DependsOn.STOCKS,
)
def show_training_data(query: dict[str, Any]) -> Rows:
    snapshot = catalogue()
    books = snapshot.order()
    if "divisao" in query:
        testing = query["divisao"] == "teste"
        seed, share = query["semente"], query["fracao"]
        books = books[
            [is_test_book(book_id, seed, share) is testing for book_id in snapshot.base.columns.ids]
        ]
    return Rows(len(books), partial(present_training_rows, snapshot, books))


@ml.post("/predictions")
@operation(
    "Prevê avaliações",
    description=(
        "Uma resposta por livro, na ordem enviada, todas da mesma versão do modelo. `X-Model-Verdict` diz o que "
        "pensar delas: `linha-de-base` é a avaliação mais comum, porque nenhum modelo a supera."
    ),
    access=Access.PUBLIC,
    query=PredictionsQuery(),
    body=PredictionInput(many=True),
    max_items=lambda settings: settings.ml_max_batch,
    ok="As predições",
    response=ShownPrediction(many=True),
    response_headers=VERDICT_HEADERS,
)
def predict(query: dict[str, Any], body: list[dict[str, Any]]) -> ResponseReturnValue:
    batch = shop().predictions.predict(body)
    headers = {
        "X-Model-Version": str(batch.model.version),
        "X-Model-Verdict": batch.verdict.value,
        "Cache-Control": "no-store",
    }
    return present_predictions(body, batch, details=query["detalhes"] == "1"), headers


@ml.get("/model")
@operation(
    "A ficha do modelo em uso",
    description=(
        "O que foi treinado, em quê, e o que vale: as avaliações ao lado de responder sempre a mais comum, as "
        "categorias propostas ao lado da mais comum, os livros parecidos ao lado de livros sorteados."
    ),
    access=Access.PUBLIC,
    ok="A ficha",
    response=ModelCard(),
    errors=(404,),
)
def show_model() -> ResponseReturnValue:
    model = shop().trainings.active()
    if model is None:
        raise ModelNotFound("Nenhum modelo foi treinado ainda. Consulte /api/v1/ml/status.")
    return present_model_card(model, shop().models.current(), catalogue().texts)


@ml.post("/train")
@operation(
    "Treina um modelo",
    description="Em segundo plano, um de cada vez; ao terminar, o resultado passa a responder às predições.",
    access=Access.OPERATOR,
    status=202,
    ok="Treino iniciado",
    response=TrainingStarted(),
    response_headers=("Location",),
    errors=(409,),
    starts_run=True,
)
def train() -> ResponseReturnValue:
    run = shop().trainings.start(caller().username)
    shape = {
        "message": "Treino iniciado em background. Consulte o status depois.",
        **present_training_progress(run),
    }
    return shape, 202, {"Location": url_for("ml.show_training")}


@ml.get("/status")
@operation(
    "Consulta o treino mais recente",
    access=Access.PUBLIC,
    ok="O estado do treino",
    response=TrainingProgress(),
)
def show_training() -> ResponseReturnValue:
    return present_training_progress(shop().trainings.latest())


@ml.get("/models")
@operation(
    "Lista as versões do modelo",
    description=(
        "Da mais nova à mais antiga; a que está em uso e as últimas são guardadas, 10 se MODELS_KEPT não diz outra "
        "coisa."
    ),
    access=Access.OPERATOR,
    query=pagination.PageQuery(),
    ok="As versões",
    response=ModelSummary(many=True),
    response_headers=pagination.HEADERS,
)
def list_models(query: dict[str, Any]) -> ResponseReturnValue:
    first, end = pagination.page_bounds(query, pagination.MAX_UNPAGED)
    models, total = shop().trainings.models(first, end - first)
    active = shop().trainings.active()
    shapes = [
        present_model_summary(model, in_use=active is not None and model.id == active.id) for model in models
    ]
    return shapes, pagination.page_headers(query, total)


@ml.post("/models/<int:version>/activate")
@operation(
    "Volta a uma versão do modelo",
    description=(
        "Vale para todos os processos em até um segundo, e até o próximo treino. 409 se o artefato da versão não "
        "pode mais ser usado."
    ),
    access=Access.OPERATOR,
    ok="A versão em uso",
    response=ModelSummary(),
    errors=(404, 409),
)
def activate_model(version: int) -> ResponseReturnValue:
    return present_model_summary(shop().trainings.activate(version, caller().username), in_use=True)
