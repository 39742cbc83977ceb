"""One script per page; `st.navigation` in dashboard_unificado.py runs them.

The folder must not be called `pages`: until `st.navigation` has run once, Streamlit builds its own navigation from a
folder of that name beside the entry script, so a first visit to `/logs` fails and to `/pedidos` says "Page not found".
Streamlit writes a bare string of a page script onto the page: constants there are documented by comments.
"""
