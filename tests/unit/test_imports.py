"""What an import loads, which only `sys.modules` of a fresh interpreter shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

PACKAGES = {"app", "scraper", "ml", "demo", "dashboards"}
LIBRARIES = {
    "flask",
    "numpy",
    "pandas",
    "prometheus_client",
    "requests",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "streamlit",
}
IMPORTING = """
import sys
from importlib import import_module

forbidden = set(sys.argv[1].split())
for module in sys.argv[2:]:
    import_module(module)
    loaded = forbidden & {name.partition(".")[0] for name in sys.modules}
    if loaded:
        sys.exit(f"{module} loads {loaded}")
"""
ANSWERING = """
import sys
from pathlib import Path
from app.factory import create_app
from app.start import prepare
from tests.support.shop import make_settings
import app.serve

app = create_app(make_settings(Path(sys.argv[1])))
prepare(app)
client = app.test_client()
assert client.get("/health").status_code == 200
book = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}
assert client.post("/api/v1/ml/predictions", json=[book]).status_code == 200
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"sklearn", "scipy", "joblib", "streamlit"}))
"""


def modules_in(folder: str) -> set[str]:
    """Return the names of the package in `folder` and of all modules below it."""
    files = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / folder).rglob("*.py"))
    return {".".join(file.parts).removesuffix(".__init__") for file in files}


CATALOGUE = {
    f"app.core.{name}"
    for name in ("alignment", "catalogue", "catalogue_base", "facets", "near_search", "trigrams")
}
TRAINING = {
    "ml.candidates",
    "ml.card",
    "ml.categories",
    "ml.compare",
    "ml.likeness",
    "ml.text_card",
    "ml.texts",
    "ml.train",
    "ml.train_texts",
}


@pytest.mark.parametrize(
    ("modules", "needed"),
    [
        pytest.param({"app"}, {"app"}, id="app"),
        pytest.param({"app.serve"}, {"app"}, id="the supervisor"),
        pytest.param(modules_in("app/core") - CATALOGUE, {"app", "scraper"}, id="the rules"),
        pytest.param(CATALOGUE, {"app", "ml", "numpy", "pandas"}, id="the catalogue"),
        pytest.param(modules_in("scraper"), {"scraper", "requests"}, id="the scraper"),
        pytest.param(modules_in("ml") - TRAINING, {"ml", "numpy"}, id="the predictions"),
        # scikit-learn imports pandas where it is installed.
        pytest.param(TRAINING, {"ml", "numpy", "scipy", "sklearn", "pandas"}, id="the training"),
        pytest.param(modules_in("demo"), {"demo", "requests"}, id="the demonstration"),
        pytest.param(
            modules_in("dashboards"),
            {"dashboards", "numpy", "pandas", "prometheus_client", "requests", "streamlit"},
            id="the dashboard",
        ),
    ],
)
def test_an_import_loads_only_what_it_needs(modules: set[str], needed: set[str]) -> None:
    forbidden = " ".join((PACKAGES | LIBRARIES) - needed)
    process = subprocess.run(
        [sys.executable, "-c", IMPORTING, forbidden, *sorted(modules)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr


def test_a_shop_that_answers_has_not_imported_scikit_learn(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", ANSWERING, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert process.stdout == "\n"
