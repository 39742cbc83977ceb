"""The files of trained models; the database has the same bytes."""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from app.storage.atomic_write import replace_file
from ml.artefact import dump_card

FOLDER: Final = "modelos"
SCRATCH_PREFIX: Final = ".treino-"


def models_folder(data_dir: Path) -> Path:
    """Return the folder of the models, which is made where it is missing."""
    folder = data_dir / FOLDER
    folder.mkdir(exist_ok=True)
    return folder


def artefact_path(data_dir: Path, version: int) -> Path:
    return data_dir / FOLDER / f"modelo-{version:06}.joblib"


def write_model(data_dir: Path, version: int, artefact: bytes, card: Mapping[str, Any]) -> None:
    """Write the model and its card, one file at a time, each atomically. Raises OSError."""
    models_folder(data_dir)
    path = artefact_path(data_dir, version)
    replace_file(path, artefact)
    replace_file(path.with_suffix(".json"), dump_card(card))


def forget_models(data_dir: Path, kept: Collection[int]) -> None:
    """Remove the files of all versions but `kept`."""
    stems = {artefact_path(data_dir, version).stem for version in kept}
    for path in (data_dir / FOLDER).glob("modelo-*.*"):
        if path.stem not in stems:
            path.unlink(missing_ok=True)


def clear_scratch(data_dir: Path) -> None:
    """Remove the folders of killed trainings; call it only while none is in progress."""
    for folder in (data_dir / FOLDER).glob(f"{SCRATCH_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)
