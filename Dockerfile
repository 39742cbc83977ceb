# Two images from one file: `--target api` (the default, since it is last) and `--target dashboard`.
FROM python:3.13-slim AS base

# Logs leave at once.
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 HOME=/tmp

WORKDIR /livraria

# The programs run as a user that owns nothing but the shop's data.
RUN useradd --system --uid 10001 --no-create-home livraria \
    && install -d -o livraria -g livraria -m 0700 /var/lib/livraria


FROM base AS dashboard

# Before the code, so that a change of code installs nothing again. Every package is checked against its hash.
COPY requirements-dashboard.txt ./
RUN pip install --require-hashes -r requirements-dashboard.txt

COPY environment.py ./
COPY .streamlit ./.streamlit
COPY dashboards ./dashboards
RUN python -m compileall -q environment.py dashboards

USER 10001
EXPOSE 8501

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]

# The rest is in .streamlit/config.toml.
CMD ["python", "-m", "streamlit", "run", "dashboards/dashboard_unificado.py", "--server.address=0.0.0.0"]


FROM base AS api

# What builds the one package that comes as source is checked too.
COPY requirements-build.txt requirements-api.txt ./
RUN pip install --require-hashes -r requirements-build.txt \
    && pip install --no-build-isolation --require-hashes -r requirements-api.txt

COPY run.py environment.py operating_system.py LICENSE NOTICE ./
COPY app ./app
COPY scraper ./scraper
COPY ml ./ml
COPY data/catalogo_demo.csv ./data/
RUN python -m compileall -q run.py environment.py operating_system.py app scraper ml

USER 10001
ENV HOST=0.0.0.0 FLASK_APP_PORT=5000 DATA_DIR=/var/lib/livraria
VOLUME /var/lib/livraria
EXPOSE 5000

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/health' % (os.environ.get('PORT') or os.environ['FLASK_APP_PORT']), timeout=4)"]

# SIGTERM reaches the server itself, which finishes the requests in flight.
CMD ["python", "run.py"]
