"""The Streamlit dashboard: it speaks HTTP to the API and to Prometheus and imports nothing of either."""
