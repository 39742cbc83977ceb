FROM python:3.13-slim

# Compiled once here rather than at every start; logs leave at once.
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /livraria

# Before the code, so that a change of code installs nothing again. Every package is checked against its hash, and so is
# what builds the one that comes as source.
COPY requirements.txt requirements-build.txt ./
RUN pip install --require-hashes -r requirements-build.txt \
    && pip install --no-build-isolation --require-hashes -r requirements.txt

# The shop runs as a user that owns nothing but its data.
RUN useradd --system --uid 10001 --no-create-home livraria \
    && install -d -o livraria -g livraria -m 0700 /var/lib/livraria

COPY . ./

USER 10001
ENV HOST=0.0.0.0 FLASK_APP_PORT=5000 DATA_DIR=/var/lib/livraria HOME=/tmp
VOLUME /var/lib/livraria
EXPOSE 5000

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5000/health', timeout=4)"]

# SIGTERM reaches the server itself, which finishes the requests in flight.
CMD ["python", "run.py"]
