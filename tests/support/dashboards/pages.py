"""Pages of the dashboard, run by Streamlit's AppTest without a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.support.server import ROOT

SCRIPT = ROOT / "dashboards" / "dashboard_unificado.py"
TITLES = {
    "overview": "Visão geral",
    "metrics": "Métricas Prometheus",
    "logs": "Logs Estruturados",
    "orders": "Pedidos e estoque",
    "catalogue": "Catálogo",
    "model": "Modelo",
    "scraping": "Scraping",
}


def open_page(page: str) -> AppTest:
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    shown = app if page == "overview" else app.switch_page(f"page_scripts/{page}.py").run()
    assert [failure.message for failure in shown.exception] == []
    assert [title.value for title in shown.title] == [TITLES[page]]
    return shown


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value).replace("\u00a0", " ") for metric in app.metric}


def words(app: AppTest) -> str:
    kinds = (app.caption, app.markdown, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\u00a0", " ")
