"""The READMEs' commands, run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.site import DemoSite
from tests.ml.books import make_books
from tests.support.programs import need
from tests.support.server import ROOT, Server

READMES = ("README.md", "README.pt-BR.md")
RUN_BY_CI = {
    "make run",
    "make test",
    "make check",
    ".venv/bin/python -m demo.site --port 8898",
    "SCRAPER_BASE_URL=http://localhost:8898/ make run",
    "cp .env.example .env",
    ".venv/bin/flask audit",
}
RUN_BY_TESTS = {
    "make demo": "demo.everything",  # tests/e2e/test_demo.py
    "make dashboard": "dashboards/dashboard_unificado.py",  # tests/dashboard/test_browser.py
}
INSTALLS_AND_MEASURES = ("python3 -m venv .venv", ".venv/bin/python benchmarks/")


def command_blocks(readme: str) -> list[str]:
    blocks = re.findall(
        r"^```sh\n(.*?)^```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [block.strip() for block in blocks]


def test_both_readmes_have_the_same_commands() -> None:
    assert command_blocks(READMES[0]) == command_blocks(READMES[1])


def test_every_command_is_run_somewhere() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(command in ci for command in RUN_BY_CI)
    for block in command_blocks("README.md"):
        asks_the_server = "localhost:5000" in block
        alone = block.startswith((".venv/bin/python -m scraper", ".venv/bin/python -m ml"))
        run = asks_the_server or alone or block in RUN_BY_CI or block in RUN_BY_TESTS
        assert run or block.startswith(INSTALLS_AND_MEASURES), block
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(program in makefile for program in RUN_BY_TESTS.values())


def test_the_calls_work_in_their_order(
    start_server: Callable[..., Server], open_site: Callable[..., DemoSite], tmp_path: Path
) -> None:
    need("curl", debian_package="curl")
    site = open_site()
    server = start_server(SCRAPER_BASE_URL=site.base_url)
    calls = [block for block in command_blocks("README.md") if "localhost:5000" in block]
    assert len(calls) == 4
    script = "\n".join(calls).replace("curl ", "curl --fail-with-body --silent --show-error ")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("localhost:5000", f"127.0.0.1:{server.port}")],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    assert "Amber Orchards" in done.stdout
    assert "Usuário criado com sucesso!" in done.stdout
    assert "Pedido criado com sucesso!" in done.stdout
    assert "x-model-verdict: sem-modelo" in done.stdout.lower()
    assert len(json.loads((tmp_path / "livros.json").read_bytes())) == 1000
    assert server.wait_for_scrape()["status"] == "done"


def test_the_scraper_writes_its_csv_alone(open_site: Callable[..., DemoSite], tmp_path: Path) -> None:
    [command] = [block for block in command_blocks("README.md") if "-m scraper" in block]
    command = command.replace(".venv/bin/python", sys.executable).replace(
        "http://localhost:8898/", open_site().base_url
    )
    command = command.replace("books.csv", str(tmp_path / "books.csv"))
    subprocess.run(command.split(), check=True, timeout=60, cwd=ROOT, capture_output=True)
    assert (tmp_path / "books.csv").read_text(encoding="utf-8").count("\n") > 100


def test_a_model_is_trained_by_hand(tmp_path: Path) -> None:
    [command] = [block for block in command_blocks("README.md") if "-m ml" in block]
    (tmp_path / "livros.json").write_text(json.dumps(make_books(40)))  # too few to be compared, and so quick
    command = command.replace(".venv/bin/python", sys.executable)
    for name in ("livros.json", "modelo"):
        command = command.replace(f" {name}", f" {tmp_path / name}")
    done = subprocess.run(command.split(), check=True, timeout=60, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("Dados insuficientes")
    assert json.loads((tmp_path / "modelo" / "ficha.json").read_bytes())["dados"]["linhas"] == 40
    assert (tmp_path / "modelo" / "modelo.joblib").exists()


def test_the_example_settings_are_the_defaults(tmp_path: Path) -> None:
    from app.settings import default_settings, read_settings

    assert read_settings({}, ROOT / ".env.example") == default_settings()


@pytest.mark.parametrize("readme", READMES)
def test_links_lead_to_files_that_exist(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#h][^)]*)\)", text):
        assert (ROOT / target).exists(), target
