"""The notebook runs against the real server, draws without network, and says what its data say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.server import ROOT, Server

NOTEBOOK = ROOT / "notebooks" / "dados.ipynb"


@pytest.fixture
def executed(
    start_server: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """The outputs of the notebook, with every address but loopback out of its reach."""
    monkeypatch.setenv("LIVRARIA_URL", start_server().url)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(NOTEBOOK.parent))
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_it_runs_draws_and_says_which_model_works(executed: list[dict[str, Any]]) -> None:
    assert {output["output_type"] for output in executed} == {"execute_result"}
    shown = [output["data"] for output in executed]
    drawings = [data["image/svg+xml"] for data in shown if "image/svg+xml" in data]
    assert len(drawings) == 3
    assert all(drawing.count("<path") > 10 for drawing in drawings)
    fails, works = [data["text/markdown"] for data in shown if "text/markdown" in data]
    for verdict in (fails, works):
        assert re.match(r"Linha de base: \d+,\d%\. Modelo: \d+,\d%\.", verdict)
    assert "**não supera**" in fails
    assert "**supera**" in works
