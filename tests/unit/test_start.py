from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.factory import create_app
from app.start import prepare
from tests.support.databases import Databases
from tests.support.shop import make_settings


def test_a_full_disk_and_a_stale_export_keep_no_shop_from_starting(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    exported = app.extensions["shop"].settings.data_dir / "livros.csv"
    os.utime(exported, (0, 0))

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(Path, "replace", fail)
        prepare(app)
    assert "catalogue_not_exported" in [record.message for record in caplog.records]
    assert app.test_client().get("/api/v1/books/0").status_code == 200
    prepare(app)
    assert exported.stat().st_mtime > 0


def test_a_start_that_makes_the_database_says_so_and_the_next_does_not(
    tmp_path: Path, databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_settings(tmp_path, database_url=databases.create(tmp_path))
    said = []
    for _ in range(2):
        caplog.clear()
        app = create_app(settings)
        prepare(app)
        app.extensions["shop"].database.engine.dispose()
        said.append([vars(record)["url"] for record in caplog.records if record.message == "new_shop"])
    [[url], nothing] = said
    assert url.startswith(("sqlite:///", "postgresql+psycopg://"))
    assert nothing == []
