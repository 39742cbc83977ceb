from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from dotenv import dotenv_values

from app.settings import InvalidSettings, Settings, read_settings

READ_BY_OTHERS = {
    "PROMETHEUS_PORT": "9090",
    "GRAFANA_PORT": "3001",
    "PROMETHEUS_URL": "http://localhost:9090",
}
"""Variables of compose and the dashboard."""
EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_a_value_may_be_followed_by_a_comment(env_file: Path) -> None:
    env_file.write_text("FLASK_APP_PORT=8080 # the port\nWEB_THREADS=3   # and the threads\n")
    settings = read_settings({}, env_file)
    assert (settings.port, settings.web_threads) == (8080, 3)


def test_an_empty_value_with_a_comment_means_the_default(env_file: Path) -> None:
    env_file.write_text("FLASK_APP_PORT= # as it was\n")
    assert read_settings({}, env_file).port == 5000


def test_a_quoted_value_keeps_its_hash_sign(env_file: Path) -> None:
    env_file.write_text('API_KEY_REQUIRED="a key # with a hash"\n')
    assert read_settings({}, env_file).api_key == "a key # with a hash"


@pytest.mark.parametrize(
    "line", ["API_KEY_REQUIRED=ca$h", 'API_KEY_REQUIRED="ca${H}"', "export API_KEY_REQUIRED = $"]
)
def test_a_dollar_that_compose_would_read_as_a_variable_is_refused(env_file: Path, line: str) -> None:
    env_file.write_text(f"{line}\n")
    with pytest.raises(InvalidSettings, match=r"API_KEY_REQUIRED tem um \$ em .*aspas simples"):
        read_settings({}, env_file)


def test_a_dollar_between_single_quotes_is_one_for_compose_and_the_shop(env_file: Path) -> None:
    env_file.write_text("API_KEY_REQUIRED='ca$h ${HOME}' # literal\n")
    assert read_settings({}, env_file).api_key == "ca$h ${HOME}"


def test_the_environment_wins_over_the_file(env_file: Path) -> None:
    env_file.write_text("FLASK_APP_PORT=8080\nWEB_THREADS=3\n")
    settings = read_settings({"FLASK_APP_PORT": "9090"}, env_file)
    assert (settings.port, settings.web_threads) == (9090, 3)


def test_a_file_that_does_not_exist_changes_nothing(env_file: Path) -> None:
    assert read_settings({}, env_file) == read_settings({})


def test_names_that_are_not_settings_are_ignored(env_file: Path) -> None:
    env_file.write_text("PATH=/bin\nTYPO_PORT=x\n")
    assert read_settings({"HOME": "/root"}, env_file) == read_settings({})


def test_bad_values_of_file_and_environment_are_reported_together(env_file: Path) -> None:
    env_file.write_text("WEB_THREADS=many\n")
    with pytest.raises(InvalidSettings) as caught:
        read_settings({"WEB_WORKERS": "few"}, env_file)
    assert len(caught.value.problems) == 2


def test_the_example_holds_every_setting_with_its_default() -> None:
    settings = {setting.metadata["name"]: setting.metadata["default"] for setting in fields(Settings)}
    assert dict(dotenv_values(EXAMPLE)) == settings | READ_BY_OTHERS
    assert read_settings({}, EXAMPLE) == read_settings({})


def test_the_example_explains_every_setting() -> None:
    explained = False
    silent = []
    for line in EXAMPLE.read_text().splitlines():
        if line.startswith("# ") and not line.startswith("# ---"):
            explained = True
        elif "=" in line:
            if not explained:
                silent.append(line)
            explained = line.startswith("PROMETHEUS_PORT=")  # one sentence is for both ports
        else:
            explained = False
    assert silent == []
