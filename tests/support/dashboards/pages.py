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
    "history": "Histórico",
    "model": "Modelo",
    "scraping": "Scraping",
}
"""By the name of the page's script."""


def open_page(page: str) -> AppTest:
    """Run the page; AssertionError where it raises or is another page."""
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    if page != "overview":
        app.switch_page(f"page_scripts/{page}.py").run()
    assert [exception.message for exception in app.exception] == []
    assert [title.value for title in app.title] == [TITLES[page]]
    return app


def tile_values(app: AppTest) -> dict[str, str]:
    """Return the figures by their labels."""
    return {metric.label: str(metric.value).replace("\u00a0", " ") for metric in app.metric}


def page_text(app: AppTest) -> str:
    """Return all captions, paragraphs and messages, a line each."""
    kinds = (app.caption, app.markdown, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\u00a0", " ")


def error_messages(app: AppTest) -> list[str]:
    return [str(error.value) for error in app.error]
