"""`/api/v1/scraping`: the collection of the catalogue."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from app.core.scraping import ScrapeRun
from app.web import pagination
from app.web.access import Access, caller
from app.web.context import shop
from app.web.endpoint import operation
from app.web.presenters.common import present_time
from app.web.presenters.schedule import changed_settings, present_schedule
from app.web.presenters.scraping import present_progress, present_run, present_run_detail
from app.web.schemas.schedule import NewSchedule, ShownSchedule
from app.web.schemas.scraping import Run, RunDetail, Status, Triggered

scraping = Blueprint("scraping", __name__, url_prefix="/api/v1/scraping")


@scraping.post("/trigger")
@operation(
    "Dispara o scraping",
    description="Roda em segundo plano, um de cada vez; continua de onde parou se o anterior foi interrompido.",
    access=Access.OPERATOR,
    status=202,
    ok="Scraping iniciado",
    response=Triggered(),
    response_headers=("Location",),
    errors=(409,),
    starts_run=True,
)
def trigger_scrape() -> ResponseReturnValue:
    run = shop().scrapes.start(caller().username)
    return _accepted(run, "Scraping iniciado em background. Consulte o status depois.")


@scraping.post("/cancel")
@operation(
    "Cancela o scraping em andamento",
    description="O catálogo fica como estava.",
    access=Access.OPERATOR,
    status=202,
    ok="Cancelamento solicitado",
    response=Triggered(),
    response_headers=("Location",),
    errors=(409,),
)
def cancel_scrape() -> ResponseReturnValue:
    return _accepted(
        shop().scrapes.cancel(caller().username), "Cancelamento solicitado. Consulte o status depois."
    )


@scraping.get("/status")
@operation(
    "Consulta o andamento", access=Access.PUBLIC, ok="O estado da execução mais recente", response=Status()
)
def show_status() -> ResponseReturnValue:
    progress = present_progress(shop().scrapes.latest(), datetime.now(UTC))
    starts_at = shop().schedule.status().schedule.starts_at
    return progress if starts_at is None else progress | {"proxima_execucao": present_time(starts_at)}


@scraping.get("/schedule")
@operation(
    "Mostra a agenda",
    description="A expressão cron pela qual a loja faz o scraping sozinha, e a próxima execução; sem agenda, null.",
    access=Access.PUBLIC,
    ok="A agenda em vigor",
    response=ShownSchedule(),
)
def show_schedule() -> ResponseReturnValue:
    return present_schedule(shop().schedule.status())


@scraping.put("/schedule")
@operation(
    "Ajusta, pausa ou retoma a agenda",
    description="Vale para a loja inteira e vence o ambiente até o DELETE; o que não é enviado fica como está. "
    '`{"ativa": false}` pausa; o que vencer durante a pausa não é recuperado.',
    access=Access.OPERATOR,
    body=NewSchedule(),
    ok="A agenda em vigor",
    response=ShownSchedule(),
)
def set_schedule(body: dict[str, Any]) -> ResponseReturnValue:
    shop().schedule.set(partial(changed_settings, body), caller().username)
    return present_schedule(shop().schedule.status())


@scraping.delete("/schedule")
@operation(
    "Volta à agenda do ambiente",
    description="Esquece o que foi ajustado: valem SCRAPER_SCHEDULE e SCRAPER_JITTER_S.",
    access=Access.OPERATOR,
    ok="A agenda em vigor",
    response=ShownSchedule(),
)
def clear_schedule() -> ResponseReturnValue:
    shop().schedule.clear(caller().username)
    return present_schedule(shop().schedule.status())


@scraping.get("/runs")
@operation(
    "Lista as execuções",
    description="Da mais nova à mais antiga; as últimas são lembradas, 100 se SCRAPE_RUNS_KEPT não diz outra coisa.",
    access=Access.OPERATOR,
    query=pagination.PageQuery(),
    ok="As execuções",
    response=Run(many=True),
    response_headers=pagination.HEADERS,
    links={"get_api_v1_scraping_runs_intrun_id": {"run_id": "$response.body#/0/id"}},
)
def list_runs(query: dict[str, Any]) -> ResponseReturnValue:
    first, end = pagination.page_bounds(query, pagination.MAX_UNPAGED)
    runs, total = shop().scrapes.history(first, end - first)
    return [present_run(run) for run in runs], pagination.page_headers(query, total)


@scraping.get("/runs/<int:run_id>")
@operation(
    "Detalha uma execução",
    description="Com os livros que ela adicionou, removeu, reprecificou e reestocou.",
    access=Access.OPERATOR,
    ok="A execução",
    response=RunDetail(),
    errors=(404,),
)
def show_run(run_id: int) -> ResponseReturnValue:
    return present_run_detail(shop().scrapes.detail(run_id))


def _accepted(run: ScrapeRun, message: str) -> ResponseReturnValue:
    progress = present_progress(run, datetime.now(UTC))
    return {"message": message, **progress}, 202, {"Location": url_for("scraping.show_status")}
