"""`flask run` and `flask db upgrade` in an empty folder."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.server import Server


class FlaskRun(Server):
    program = ("-m", "flask", "run")

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.environment["FLASK_RUN_PORT"] = str(self.port)


@pytest.mark.parametrize("upgraded", [False, True])
def test_flask_run_prepares_the_shop(tmp_path: Path, upgraded: bool) -> None:
    server = FlaskRun(tmp_path / "new" / "data")
    server.log.parent.mkdir()
    if upgraded:
        assert server.flask("db", "upgrade").returncode == 0
    with server:
        assert len(server.get("/api/v1/books").json()) == 1000
        assert server.get("/api/v1/logs", headers=server.log_in()).status_code == 200
        assert server.end(signal.SIGINT) == 0
    assert "Traceback" not in server.log.read_text()


def test_flask_run_says_what_is_wrong_with_the_database(tmp_path: Path) -> None:
    (tmp_path / "livraria.db").write_text("no database" * 100)
    refused = FlaskRun(tmp_path).flask("run")
    assert refused.returncode == 2
    assert "corrompido" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_other_commands_make_no_database(tmp_path: Path) -> None:
    refused = FlaskRun(tmp_path / "none").flask("users", "list")
    assert refused.returncode == 2
    assert "inicie a loja uma vez" in refused.stderr
    assert not (tmp_path / "none").exists()
