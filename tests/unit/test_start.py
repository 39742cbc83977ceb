from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.start import prepare


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
