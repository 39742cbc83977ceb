# One word per job; `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The newest of the supported interpreters, unless PYTHON names one.
PYTHON ?= $(shell for v in 3.14 3.13 3.12 3.11; do python$$v -c '' 2>/dev/null && { echo python$$v; exit; }; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: help setup run demo dashboard test test-all test-postgresql examine fuzz check format bench vulnerabilities lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "demo, dashboard, test, test-all, test-postgresql, examine, bench and lock take more arguments: make test ARGS=\"tests/api -k orders\""

# The stamps carry the requirements' time: nothing is installed again until a requirements file changes.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' || \
		{ echo "Python 3.11 to 3.14 is needed; name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/run.stamp: requirements.txt requirements-build.txt $(VENV)/python.stamp
	@echo "Installing what the shop needs into $(VENV) (once, about a minute) ..."
	@$(PIP_INSTALL) -r requirements-build.txt
	@$(PIP_INSTALL) --no-build-isolation -r requirements.txt
	@$(BIN)/python -m compileall -q $(VENV)/lib || true
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing the test and lint tools into $(VENV) (once) ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

setup: $(VENV)/dev.stamp ## install everything, tools included, into .venv

run: $(VENV)/run.stamp ## serve the shop on http://localhost:5000
	@exec $(BIN)/python run.py

demo: $(VENV)/run.stamp ## the whole shop with visitors, dashboard and Prometheus
	@exec $(BIN)/python -m demo $(ARGS)

dashboard: $(VENV)/run.stamp ## watch the shop on http://localhost:8501
	@exec $(BIN)/streamlit run dashboards/dashboard_unificado.py $(ARGS)

# A file's tests share what it has prepared, so one worker runs them all; tests/conftest.py puts the long ones first.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test: $(VENV)/dev.stamp ## run the tests that start no other program
	@$(PYTEST) $(ARGS)

test-all: $(VENV)/dev.stamp ## run every test; what lacks its system program is skipped
	@$(PYTEST) -o testpaths=tests $(ARGS)

test-postgresql: $(VENV)/dev.stamp ## run the tests of the API and the database on PostgreSQL
	@TEST_DATABASE=postgresql $(PYTEST) $(addprefix tests/,api unit/observability unit/services unit/storage) $(ARGS)

examine: $(VENV)/run.stamp ## walk the statement's calls and the two seed systems' against a running shop
	@$(BIN)/python -m tools.examine $(ARGS)

fuzz: $(VENV)/dev.stamp ## send a real server more than 10,000 requests of each kind of caller, as its document says
	@FUZZ_EXAMPLES=600 $(BIN)/python -m pytest tests/e2e/test_schemathesis.py $(ARGS)

# What must not use a function that Windows lacks.
WINDOWS := app scraper ml demo dashboards environment.py operating_system.py run.py

check: $(VENV)/dev.stamp ## lint, format, types, import contracts and unused dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows $(WINDOWS)
	@$(BIN)/lint-imports
	@$(BIN)/deptry --no-ansi .

format: $(VENV)/dev.stamp ## rewrite the code the way `make check` wants it
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# The peers have an environment of their own, which only this job needs.
BENCH_VENV := .venv-bench

$(BENCH_VENV)/bench.stamp: requirements-bench.txt $(VENV)/python.stamp
	@echo "Installing the peers of the benchmarks into $(BENCH_VENV) (once) ..."
	@$(BIN)/python -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

bench: $(VENV)/dev.stamp $(BENCH_VENV)/bench.stamp ## measure the shop beside its peers, and rewrite docs/performance.md
	@$(BIN)/python -m benchmarks $(ARGS)

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

vulnerabilities: $(VENV)/dev.stamp ## ask a database of vulnerabilities about every pinned package; needs the internet
	@$(BIN)/pip-audit --disable-pip --require-hashes --strict -r requirements.txt -r requirements-build.txt

lock: $(VENV)/dev.stamp ## compile pyproject.toml into pinned, hashed requirements*.txt, and list them in sbom.cdx.json
	@$(LOCK) $(ARGS) --group build -o requirements-build.txt
	@$(LOCK) $(ARGS) pyproject.toml --extra api --extra dashboard -o requirements.txt
	@for part in api dashboard; do \
		$(LOCK) $(ARGS) pyproject.toml --extra $$part -c requirements.txt -o requirements-$$part.txt || exit; done
	@for group in dev bench; do \
		$(LOCK) $(ARGS) --group $$group -c requirements.txt -o requirements-$$group.txt || exit; done
	@$(BIN)/python -m tools.sbom

clean: ## remove the environments and the caches (never data/)
	rm -rf $(VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
