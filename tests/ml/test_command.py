"""`python -m ml`, run in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ml.__main__ import EXIT_BAD_DATA, main
from ml.artefact import digest_of
from ml.text_model import load
from tests.support.training_books import make_books
from tests.support.training_texts import make_book_texts, text_of


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Too few books for the comparison of candidates, which takes long."""
    path = tmp_path / "livros.json"
    path.write_text(json.dumps(make_books(20)))
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "textos.ndjson"
    path.write_text("".join(f"{json.dumps(text_of(*pair))}\n" for pair in enumerate(make_book_texts(80))))
    return path


def test_with_texts_there_is_a_third_file_and_its_part_of_the_card(
    data: Path, texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(data), "--out", str(tmp_path / "modelo"), "--textos", str(texts)]) == 0
    content = (tmp_path / "modelo" / "textos.npz").read_bytes()
    card = json.loads((tmp_path / "modelo" / "ficha.json").read_bytes())
    assert load(content, digest_of(content)).neighbours(0)
    sentences = [card["frase"], card["semelhanca"]["frase"], card["categorias_sugeridas"]["frase"]]
    assert capsys.readouterr().out.splitlines() == sentences


def test_without_texts_there_are_the_two_files_of_the_rating_model(data: Path, tmp_path: Path) -> None:
    assert main([str(data), "--out", str(tmp_path / "modelo")]) == 0
    assert {path.name for path in (tmp_path / "modelo").iterdir()} == {"modelo.joblib", "ficha.json"}
    assert "semelhanca" not in json.loads((tmp_path / "modelo" / "ficha.json").read_bytes())


@pytest.mark.parametrize("line", ["{", '{"id": 1}', None])
def test_unusable_texts_are_named_and_nothing_is_written(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str | None
) -> None:
    texts = tmp_path / "textos.ndjson"
    if line is not None:
        texts.write_text(line)
    assert main([str(data), "--out", str(tmp_path / "modelo"), "--textos", str(texts)]) == EXIT_BAD_DATA
    assert str(texts) in capsys.readouterr().err
    assert not (tmp_path / "modelo").exists()
