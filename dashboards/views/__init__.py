"""One script per page; `st.navigation` in dashboard_unificado.py runs them."""
