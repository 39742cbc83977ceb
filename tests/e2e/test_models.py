"""Models of the real server: replaced under load, killed while they are trained, and tampered with."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests

from app.storage.model_files import artefact_path
from tests.support.exposition import read_samples, value
from tests.support.server import Server
from tests.support.trained_shop import BATCH, publish, rated_by_price, train, wait_for_training

CLIENTS = 16
PAUSE_S = 0.1
RISING, FALLING = [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]


class RunsCode:
    """A pickle that makes the folder `sign` when it is read."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.sign),)


@pytest.fixture(scope="module")
def trained_data(ready_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data directory with one model, which predicts better ratings for dearer books."""
    data_dir = tmp_path_factory.mktemp("trained") / "data"
    shutil.copytree(ready_data, data_dir)
    publish(data_dir, rated_by_price(dear_is_good=True))
    with Server(data_dir) as server:
        assert train(server) == 1
    return data_dir


@pytest.fixture
def data_dir(trained_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained_data, tmp_path / "data"))


def predict(server: Server) -> requests.Response:
    # Generous: sixteen clients, two workers that load a model and a training share what cores there are.
    return requests.post(f"{server.url}/api/v1/ml/predictions", json=BATCH, timeout=60)


def ratings(response: requests.Response) -> list[int]:
    return [row["prediction"] for row in response.json()]


def rejections(server: Server) -> float:
    return value(read_samples(server.get("/metrics").text), "livraria_model_refused")


def trainers(data_dir: Path) -> list[int]:
    """Return the ids of the processes that train for the shop on `data_dir`."""
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if "-m\0ml\0" in command and str(data_dir) in command:
            pids.append(int(folder.name))
    return pids


def wait_for(condition: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_retraining_under_sixteen_clients_fails_no_request_and_every_response_is_of_one_version(
    data_dir: Path,
) -> None:
    with Server(data_dir, WEB_WORKERS="2") as server:
        publish(data_dir, rated_by_price(dear_is_good=False))
        computed, over = threading.Event(), threading.Event()

        def ask_until_over() -> set[tuple[str, tuple[int, ...]]]:
            predictions = set()
            while not over.is_set():
                response = predict(server)
                assert response.status_code == 200, response.text
                assert response.headers["X-Model-Verdict"] == "supera-a-linha-de-base"
                predictions.add((response.headers["X-Model-Version"], tuple(ratings(response))))
                computed.wait(
                    PAUSE_S
                )  # leaves the trainer some of the cores; the replacement comes at full load
            return predictions

        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(ask_until_over) for _ in range(CLIENTS)]
            try:
                server.post("/api/v1/ml/train", headers=server.log_in())
                wait_for(lambda: bool(trainers(data_dir)))
                wait_for(lambda: not trainers(data_dir))
                computed.set()
                assert wait_for_training(server)["status"] == "done"
                wait_for(lambda: predict(server).headers["X-Model-Version"] == "2")
            finally:
                computed.set()
                over.set()
            predictions = set().union(*(client.result() for client in clients))
    assert predictions == {("1", tuple(RISING)), ("2", tuple(FALLING))}


def test_killed_while_it_trains_the_shop_serves_the_old_model_and_trains_again(data_dir: Path) -> None:
    with Server(data_dir) as server:
        server.post("/api/v1/ml/train", headers=server.log_in())
        wait_for(lambda: bool(trainers(data_dir)))
        server.end(signal.SIGKILL, workers_too=True)
        wait_for(lambda: not trainers(data_dir), within_s=20)

        server.start()
        status = server.get("/api/v1/ml/status").json()
        assert (status["versao"], status["status"]) == (2, "error")
        assert "processo morreu" in status["motivo"]
        response = predict(server)
        assert (response.headers["X-Model-Version"], ratings(response)) == ("1", RISING)
        assert train(server) == 3
        assert [path.name for path in (data_dir / "modelos").glob(".treino-*")] == []


def test_a_trainer_killed_alone_leaves_the_old_model_serving(data_dir: Path) -> None:
    with Server(data_dir) as server:
        server.post("/api/v1/ml/train", headers=server.log_in())
        wait_for(lambda: bool(trainers(data_dir)))
        for pid in trainers(data_dir):
            assert os.getpgid(pid) == pid, "a Ctrl-C in the server's terminal is not for it"
            os.kill(pid, signal.SIGKILL)
        status = wait_for_training(server)
        assert status["status"] == "error"
        assert str(data_dir) not in status["motivo"]
        assert predict(server).headers["X-Model-Version"] == "1"


def test_a_pickle_that_would_run_code_is_refused_told_and_replaced_without_running(
    data_dir: Path, tmp_path: Path
) -> None:
    sign = tmp_path / "ran"
    damage(data_dir, pickle.dumps(RunsCode(sign)))
    with Server(data_dir, ML_AUTO_TRAIN="true") as server:
        response = predict(server)
        assert response.headers["X-Model-Verdict"] == "artefato-recusado"
        assert response.headers["X-Model-Version"] == "0"
        assert "SHA-256" in server.get("/api/v1/ml/model").json()["problema"]
        assert rejections(server) == 1
        log = server.get("/api/v1/logs?levelname=ERROR").json()
        assert [line["message"] for line in log] == ["model_refused"]

        wait_for(lambda: predict(server).headers["X-Model-Version"] == "2")
        assert ratings(predict(server)) == RISING
        assert rejections(server) == 0
        assert not sign.exists()


def damage(data_dir: Path, content: bytes) -> None:
    """Replace the bytes of the first model, in its file and in the database."""
    artefact_path(data_dir, 1).write_bytes(content)
    with closing(sqlite3.connect(data_dir / "livraria.db")) as database, database:
        database.execute("UPDATE modelo_treino SET artefato = ? WHERE id = 1", (content,))


def test_one_changed_byte_is_refused(data_dir: Path) -> None:
    content = bytearray(artefact_path(data_dir, 1).read_bytes())
    content[len(content) // 2] ^= 1
    damage(data_dir, bytes(content))
    with Server(data_dir) as server:
        response = predict(server)
        assert response.headers["X-Model-Verdict"] == "artefato-recusado"
        assert len(set(ratings(response))) == 1


def test_a_lost_file_is_written_again_from_the_database(data_dir: Path) -> None:
    before = artefact_path(data_dir, 1).read_bytes()
    shutil.rmtree(data_dir / "modelos")
    with Server(data_dir) as server:
        assert predict(server).headers["X-Model-Verdict"] == "supera-a-linha-de-base"
    assert artefact_path(data_dir, 1).read_bytes() == before


def test_a_first_start_trains_by_itself_without_being_asked(tmp_path: Path) -> None:
    with Server(tmp_path / "data", ML_AUTO_TRAIN="true") as server:
        assert predict(server).headers["X-Model-Verdict"] == "sem-modelo"
        assert wait_for_training(server)["status"] == "done"
        card = server.get("/api/v1/ml/model").json()
        assert card["veredito"] == "linha-de-base"
        assert card["dados"]["linhas"] == 1000
        assert predict(server).headers["X-Model-Version"] == "1"


def test_a_replica_on_another_machine_takes_the_model_from_the_database(
    database_url: str, tmp_path: Path
) -> None:
    replicas = [tmp_path / "one", tmp_path / "other"]
    with ExitStack() as servers:
        one, other = (
            servers.enter_context(Server(data_dir, DATABASE_URL=database_url)) for data_dir in replicas
        )
        publish(replicas[0], rated_by_price(dear_is_good=False), database_url=database_url)
        assert train(one) == 1
        wait_for(lambda: predict(other).headers["X-Model-Version"] == "1")
        assert ratings(predict(other)) == ratings(predict(one)) == FALLING
    files = [artefact_path(data_dir, 1).read_bytes() for data_dir in replicas]
    assert files[0] == files[1]
