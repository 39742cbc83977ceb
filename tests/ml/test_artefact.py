from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from ml import artefact
from ml.artefact import ArtefactRefused, digest_of, dump, library_versions, load
from ml.train import TrainedModel

CARD: dict[str, Any] = {
    **dict.fromkeys(artefact.CARD_KEYS),
    "formato": artefact.FORMAT,
    "bibliotecas": library_versions(),
    "escolhidos": {"basico": "floresta_aleatoria"},
}


class RunsCode:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_written_estimators_are_loaded(on_price: TrainedModel) -> None:
    content = dump(on_price.estimators)
    assert set(load(content, digest_of(content), CARD)) == set(on_price.estimators)


@pytest.mark.parametrize("offset", [0, 100, -1])
def test_one_byte_changed_is_refused(on_price: TrainedModel, offset: int) -> None:
    content = bytearray(dump(on_price.estimators))
    digest = digest_of(bytes(content))
    content[offset] ^= 1
    with pytest.raises(ArtefactRefused, match="SHA-256"):
        load(bytes(content), digest, CARD)


def test_a_pickle_that_would_run_code_is_refused_and_its_code_does_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "ran"
    content = pickle.dumps(RunsCode(folder))
    with pytest.raises(ArtefactRefused):
        load(content, digest_of(dump({})), CARD)
    assert not folder.exists()
    load(content, digest_of(content), CARD)
    assert folder.exists(), "else the refusal proves nothing"


@pytest.mark.parametrize("library", ["scikit-learn", "numpy", "joblib", "python"])
def test_a_model_of_other_library_versions_is_refused_by_name(library: str) -> None:
    content = dump({})
    other = {**CARD, "bibliotecas": {**library_versions(), library: "0.1"}}
    with pytest.raises(ArtefactRefused, match=library):
        load(content, digest_of(content), other)


@pytest.mark.parametrize("card", [{}, [1], None, {"formato": artefact.FORMAT}])
def test_a_model_without_a_whole_card_is_refused(card: Any) -> None:
    content = dump({})
    with pytest.raises(ArtefactRefused, match="ficha"):
        load(content, digest_of(content), card)


def test_without_chosen_candidates_nothing_is_unpickled(tmp_path: Path) -> None:
    content = pickle.dumps(RunsCode(tmp_path / "ran"))
    assert load(content, digest_of(content), {**CARD, "escolhidos": {"basico": None}}) == {}
    assert not (tmp_path / "ran").exists()


def test_a_card_has_the_required_keys(on_noise: TrainedModel) -> None:
    assert set(on_noise.card) == artefact.CARD_KEYS


def test_a_model_of_another_format_is_refused() -> None:
    content = dump({})
    with pytest.raises(ArtefactRefused, match="outra versão da loja"):
        load(content, digest_of(content), {**CARD, "formato": 0})
