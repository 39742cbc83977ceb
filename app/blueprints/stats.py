"""`/api/v1/stats`: figures over the published catalogue."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.web.access import Access
from app.web.context import catalogue
from app.web.endpoint import operation
from app.web.past import PastQuery
from app.web.presenters.catalogue import present_category_summary, present_overview
from app.web.schemas.catalogue import CategoryStats, Overview
from app.web.versions import DependsOn

stats = Blueprint("stats", __name__, url_prefix="/api/v1/stats")


@stats.get("/overview")
@operation(
    "Estatísticas gerais",
    access=Access.PUBLIC,
    query=PastQuery(),
    ok="Totais, médias e avaliações",
    response=Overview(),
    versioned=DependsOn.CATALOGUE,
)
def show_overview() -> ResponseReturnValue:
    return present_overview(catalogue().overview())


@stats.get("/categories")
@operation(
    "Estatísticas por categoria",
    access=Access.PUBLIC,
    query=PastQuery(),
    ok="Uma linha por categoria, por nome",
    response=CategoryStats(many=True),
    versioned=DependsOn.CATALOGUE,
)
def show_category_summaries() -> ResponseReturnValue:
    return [present_category_summary(summary) for summary in catalogue().category_summaries()]
