"""The dashboard: `streamlit run dashboards/dashboard_unificado.py`."""

import sys
from pathlib import Path

import streamlit as st

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:  # `streamlit run` only knows this file's own folder
    sys.path.insert(0, ROOT)

from dashboards.client.http_client import without_credentials  # noqa: E402
from dashboards.components.page_layout import PAUSED_KEY  # noqa: E402
from dashboards.metrics import selection  # noqa: E402
from dashboards.settings import settings  # noqa: E402

ICON = Path(__file__).parent / "icon.svg"  # icons by name are fetched from Google
PAGE_SCRIPTS = Path(__file__).parent / "page_scripts"
PAGES = (
    ("overview.py", "Visão geral", "visao-geral", ":material/storefront:"),
    ("metrics.py", "Métricas Prometheus", "metricas", ":material/monitoring:"),
    ("logs.py", "Logs Estruturados", "logs", ":material/receipt_long:"),
    ("orders.py", "Pedidos e estoque", "pedidos", ":material/shopping_cart:"),
    ("catalogue.py", "Catálogo", "catalogo", ":material/menu_book:"),
    ("history.py", "Histórico", "historico", ":material/history:"),
    ("model.py", "Modelo", "modelo", ":material/model_training:"),
    ("scraping.py", "Scraping", "scraping", ":material/travel_explore:"),
)

st.set_page_config(page_title="Livraria", page_icon=ICON, layout="wide")
current_page = st.navigation(
    [
        st.Page(PAGE_SCRIPTS / script, title=title, url_path=path, icon=icon, default=path == "visao-geral")
        for script, title, path, icon in PAGES
    ]
)
with st.sidebar:
    st.toggle("Pausar a atualização", key=PAUSED_KEY)
    has_prometheus = selection.prometheus_available()
    st.selectbox(
        "Período",
        selection.PERIODS_S,
        index=list(selection.PERIODS_S).index(selection.DEFAULT_PERIOD),
        key=selection.PERIOD_KEY,
        disabled=not has_prometheus,
        help="O Prometheus guarda o passado. Sem ele, o painel lembra os últimos 15 minutos que viu.",
    )
    prometheus_url, api_url = map(without_credentials, (settings().prometheus_url, settings().api_url))
    if has_prometheus:
        st.caption(f"Métricas: Prometheus em {prometheus_url}")
    else:
        st.caption(
            f"Métricas: /metrics da API, lido por este painel. O Prometheus não responde, ou não coleta esta "
            f"loja, em {prometheus_url}"
        )
    st.caption(f"API: {api_url} · [documentação]({api_url}/apidocs/)")
current_page.run()
