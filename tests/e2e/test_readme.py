"""The READMEs' commands, run as they stand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.site.server import DemoSite
from tests.support.documents import READMES, command_blocks
from tests.support.programs import need
from tests.support.server import ROOT, Server
from tests.support.training_books import make_books

README = READMES[0]
RUN_BY_CI = {
    "make run",
    "make test-all",
    "make check",
    ".venv/bin/python -m demo.site --port 8898",
    "SCRAPER_BASE_URL=http://localhost:8898/ make run",
    "cp .env.example .env",
    ".venv/bin/flask audit",
}
MAKE = {
    "make test": "python -m pytest",  # make test-all runs the same tests, and more
    "make demo": "python -m demo",  # tests/e2e/test_demo.py
    "make examine": "python -m tools.examine",  # tests/e2e/test_examine.py
    "make dashboard": "streamlit run dashboards/dashboard_unificado.py",  # tests/e2e
}
"""Commands that start a program which other tests run."""
INSTALLS_AND_MEASURES = ("python3 -m venv .venv", ".venv/bin/python benchmarks/")
RECORDER = """#!/bin/sh
name=${0#"$PROJECT/"}
for command in "$name $*" ${SCRAPER_BASE_URL:+"SCRAPER_BASE_URL=$SCRAPER_BASE_URL $name $*"}; do
    echo "$command" >>"$PROJECT/commands"
done
case "$name $*" in
    "cp "*) exec /bin/cp "$@" ;;
    "make run" | *demo.site*) exec sleep 60 ;;
esac
echo "1 passed in 1.00s"
"""
"""Stands in for a program: notes how it was called, and goes on like a server where it is one."""
PROGRAMS = ("apt-get", "sudo", "node", "npm", "npx", "curl", "make", "cp", "git", "pip")


@pytest.fixture
def ci_commands(tmp_path: Path) -> list[str]:
    """The commands that `.ci/run` calls, from a run in which every program only notes its call."""
    project = tmp_path / "project"
    for path in (".ci/run", ".env.example", *(path.name for path in READMES)):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, project / path)
    for name in (*PROGRAMS, ".venv/bin/python", ".venv/bin/flask"):
        stub = project / name
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(RECORDER, encoding="utf-8")
        stub.chmod(0o755)
    environment = {"PATH": f"{project}:/usr/bin:/bin", "PROJECT": str(project)}
    process = subprocess.run(
        ["bash", ".ci/run"], cwd=project, env=environment, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return (project / "commands").read_text(encoding="utf-8").splitlines()


def test_ci_runs_the_commands_that_need_a_clean_clone(ci_commands: list[str]) -> None:
    assert {command for command in RUN_BY_CI if command not in ci_commands} == set()


@pytest.mark.parametrize("command", MAKE)
def test_make_starts_the_program_that_other_tests_run(command: str) -> None:
    environment = {**os.environ, "MAKEFLAGS": "--dry-run"}
    process = subprocess.run(
        command.split(), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    assert MAKE[command] in process.stdout


def test_every_command_is_run_somewhere() -> None:
    for block in command_blocks(README):
        asks_the_server = "localhost:5000" in block
        alone = block.startswith(
            (".venv/bin/python -m scraper", ".venv/bin/python -m ml", ".venv/bin/flask import")
        )
        run = asks_the_server or alone or block in RUN_BY_CI or block in MAKE
        assert run or block.startswith(INSTALLS_AND_MEASURES), block


def test_the_calls_work_in_their_order(
    start_server: Callable[..., Server], open_site: Callable[..., DemoSite], tmp_path: Path
) -> None:
    need("curl", debian_package="curl")
    # Slow, so that the scrape which the calls trigger can't publish before they have ended.
    site = open_site(latency_s=1.0)
    server = start_server(SCRAPER_BASE_URL=site.base_url)
    calls = [block for block in command_blocks(README) if "localhost:5000" in block]
    assert len(calls) == 5
    script = "\n".join(calls).replace("curl ", "curl --fail-with-body --silent --show-error ")
    process = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("localhost:5000", f"127.0.0.1:{server.port}")],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stdout[-500:] + process.stderr
    assert "Amber Orchards" in process.stdout
    assert "Usuário criado com sucesso!" in process.stdout
    assert "Pedido criado com sucesso!" in process.stdout
    assert "x-model-verdict: sem-modelo" in process.stdout.lower()
    assert len(json.loads((tmp_path / "livros.json").read_bytes())) == 1000
    assert "x-search-mode: aproximada" in process.stdout.lower()
    assert "1,Amber Orchards,Travel,20.51,20.51,4,10" in process.stdout
    assert server.wait_for_scrape()["status"] == "done"


def test_what_was_exported_is_imported_again_without_a_change(start_server: Callable[..., Server]) -> None:
    [command] = [block for block in command_blocks(README) if "flask import" in block]
    server = start_server()
    arguments = command.replace(" data/", f" {server.data_dir}/").split()
    process = server.flask(*arguments[1:])
    assert process.returncode == 0, process.stderr
    assert "1000" in process.stdout.replace(".", "")


def test_the_scraper_writes_its_csv_alone(open_site: Callable[..., DemoSite], tmp_path: Path) -> None:
    [command] = [block for block in command_blocks(README) if "-m scraper" in block]
    command = command.replace(".venv/bin/python", sys.executable).replace(
        "http://localhost:8898/", open_site().base_url
    )
    command = command.replace("books.csv", str(tmp_path / "books.csv"))
    subprocess.run(command.split(), check=True, timeout=60, cwd=ROOT, capture_output=True)
    assert (tmp_path / "books.csv").read_text(encoding="utf-8").count("\n") > 100


def test_a_model_is_trained_by_hand(tmp_path: Path) -> None:
    [command] = [block for block in command_blocks(README) if "-m ml" in block]
    (tmp_path / "livros.json").write_text(json.dumps(make_books(40)))  # too few to be compared, and so quick
    command = command.replace(".venv/bin/python", sys.executable)
    for name in ("livros.json", "modelo"):
        command = command.replace(f" {name}", f" {tmp_path / name}")
    process = subprocess.run(
        command.split(), check=True, timeout=60, cwd=ROOT, capture_output=True, text=True
    )
    assert process.stdout.startswith("Dados insuficientes")
    assert json.loads((tmp_path / "modelo" / "ficha.json").read_bytes())["dados"]["linhas"] == 40
    assert (tmp_path / "modelo" / "modelo.joblib").exists()
