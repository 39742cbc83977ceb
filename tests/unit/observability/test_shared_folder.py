from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.observability import shared_folder

DEAD = 2**22 + 1
"""More than any process' number can be."""


def make_folder(data_dir: Path, workers: int = 0) -> Path:
    return Path(shared_folder.make_shared_folder(data_dir, workers))


@pytest.mark.parametrize("workers", [0, 2**60])
def test_without_enough_shared_memory_the_figures_are_beside_the_data(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, data_dir = tmp_path / "memory", tmp_path / "data"
    data_dir.mkdir()
    monkeypatch.setattr(shared_folder, "SHARED_MEMORY", memory)
    assert make_folder(data_dir).parent == data_dir
    memory.mkdir()
    assert make_folder(data_dir, workers).parent == (data_dir if workers else memory)


def test_folders_of_the_dead_are_removed_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_folder, "SHARED_MEMORY", tmp_path)
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    earlier = make_folder(own)
    of_other = make_folder(other)
    dead = earlier.with_name(earlier.name.replace(f"-{os.getpid()}-", f"-{DEAD}-"))
    served = earlier.with_name(earlier.name.replace(f"-{os.getpid()}-", f"-{os.getppid()}-"))
    dead.mkdir()
    served.mkdir()
    new = make_folder(own)
    assert set(tmp_path.iterdir()) == {own, other, of_other, served, new}
