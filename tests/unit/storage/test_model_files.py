from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.storage.model_files import artefact_path, clear_scratch, forget_models, models_folder, write_model

CARD = {"frase": "Não há padrão", "acuracia": 0.226}


def names(data_dir: Path) -> set[str]:
    return {path.name for path in (data_dir / "modelos").iterdir()}


def test_a_model_is_written_with_a_card_that_people_can_read(tmp_path: Path) -> None:
    write_model(tmp_path, 7, b"model", CARD)
    assert artefact_path(tmp_path, 7).read_bytes() == b"model"
    text = (tmp_path / "modelos" / "modelo-000007.json").read_text()
    assert json.loads(text) == CARD
    assert "Não há padrão" in text
    assert names(tmp_path) == {"modelo-000007.joblib", "modelo-000007.json"}


def test_a_model_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path, 1, b"old", CARD)

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_model(tmp_path, 1, b"new", CARD)
    assert artefact_path(tmp_path, 1).read_bytes() == b"old"
    assert names(tmp_path) == {"modelo-000001.joblib", "modelo-000001.json"}


def test_old_models_are_forgotten_with_their_cards_and_nothing_else_is(tmp_path: Path) -> None:
    for version in (1, 2, 10, 1_234_567):
        write_model(tmp_path, version, b"model", CARD)
    (models_folder(tmp_path) / "LEIA-ME.txt").touch()
    forget_models(tmp_path, {2, 1_234_567, 99})
    assert names(tmp_path) == {
        "modelo-000002.joblib",
        "modelo-000002.json",
        "modelo-1234567.joblib",
        "modelo-1234567.json",
        "LEIA-ME.txt",
    }


def test_forgetting_where_there_never_was_a_model_does_no_harm(tmp_path: Path) -> None:
    forget_models(tmp_path, set())
    clear_scratch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_dead_trainings_left_is_removed_and_models_stay(tmp_path: Path) -> None:
    write_model(tmp_path, 1, b"model", CARD)
    left = models_folder(tmp_path) / ".treino-x" / "deep"
    left.mkdir(parents=True)
    (left / "livros.json").touch()
    clear_scratch(tmp_path)
    assert names(tmp_path) == {"modelo-000001.joblib", "modelo-000001.json"}
