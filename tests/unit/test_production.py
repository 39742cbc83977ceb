"""What production refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import read_settings
from tests.unit.test_settings import GOOD_SECRET, PRODUCTION, problems_of

OTHER_SECRET = "y" * 32


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    return {**PRODUCTION, "DATA_DIR": str(tmp_path)}


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def refused(environ: dict[str, str], env_file: Path | None = None) -> list[str]:
    """Return the first word of each problem."""
    return [problem.split()[0] for problem in problems_of(environ, env_file)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("API_KEY_REQUIRED", "minha_chave_secreta_empresa"),
        ("API_KEY_REQUIRED", "k" * 15),
        ("API_KEY_PREVIOUS", "minha_chave_secreta_empresa"),
        ("API_KEY_PREVIOUS", "k" * 15),
        ("METRICS_TOKEN", "k" * 15),
        ("ADMIN_PASSWORD", "e\u0301" * 7),  # seven letters, each of two code points
        ("FLASK_DEBUG", "1"),
        ("FLASK_DEBUG", "true"),
        ("FLASK_DEBUG", "on"),
    ],
)
def test_each_is_refused_alone_in_production_only(production: dict[str, str], name: str, text: str) -> None:
    assert refused({**production, name: text}) == [name]
    read_settings({**production, name: text, "APP_ENV": "development"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("API_KEY_REQUIRED", "k" * 16),
        ("API_KEY_PREVIOUS", "k" * 16),
        ("API_KEY_PREVIOUS", ""),
        ("METRICS_TOKEN", "k" * 16),
        ("METRICS_TOKEN", ""),
        ("FLASK_DEBUG", "0"),
        ("FLASK_DEBUG", "False"),
        ("FLASK_DEBUG", "no"),
        ("FLASK_DEBUG", ""),
        ("JWT_SECRET_KEY_PREVIOUS", OTHER_SECRET),
    ],
)
def test_each_is_good_enough_for_production(production: dict[str, str], name: str, text: str) -> None:
    read_settings({**production, name: text})


@pytest.mark.parametrize("previous", ["x" * 31, GOOD_SECRET])
def test_the_previous_key_is_long_and_another(previous: str) -> None:
    environ = {"JWT_SECRET_KEY": GOOD_SECRET, "JWT_SECRET_KEY_PREVIOUS": previous}
    assert refused(environ) == ["JWT_SECRET_KEY_PREVIOUS"]


def test_the_previous_api_key_is_another() -> None:
    assert refused({"API_KEY_REQUIRED": "k" * 16, "API_KEY_PREVIOUS": "k" * 16}) == ["API_KEY_PREVIOUS"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_an_env_file_with_secrets_that_others_reach_is_refused(
    production: dict[str, str], env_file: Path, mode: int
) -> None:
    env_file.write_text("API_KEY_REQUIRED=0123456789abcdef # ours\n")
    env_file.chmod(mode)
    del production["API_KEY_REQUIRED"]
    assert refused(production, env_file) == [str(env_file)]
    assert "chmod 600" in problems_of(production, env_file)[0]
    assert "0123456789abcdef" not in problems_of(production, env_file)[0]
    env_file.chmod(0o600)
    assert read_settings(production, env_file).api_key == "0123456789abcdef"


@pytest.mark.parametrize(
    "content", ["FLASK_APP_PORT=8080\n", "JWT_SECRET_KEY=\n", "ADMIN_PASSWORD=1234\n", "# METRICS_TOKEN=x\n"]
)
def test_an_env_file_without_secrets_may_be_read_by_others(
    production: dict[str, str], env_file: Path, content: str
) -> None:
    env_file.write_text(content)
    env_file.chmod(0o644)
    read_settings(production, env_file)


def test_the_secret_that_development_left_must_not_be_readable_either(
    production: dict[str, str], tmp_path: Path
) -> None:
    secret_file = tmp_path / ".jwt_secret"
    secret_file.write_text(GOOD_SECRET)
    secret_file.chmod(0o644)
    assert refused(production) == [str(secret_file)]
    secret_file.chmod(0o600)
    read_settings(production)


def test_development_reads_any_file(tmp_path: Path, env_file: Path) -> None:
    env_file.write_text("API_KEY_REQUIRED=0123456789abcdef\n")
    env_file.chmod(0o644)
    read_settings({}, env_file)


def test_all_of_it_is_named_at_once(tmp_path: Path, env_file: Path) -> None:
    env_file.write_text("METRICS_TOKEN=short\nAPI_KEY_PREVIOUS=short\nFLASK_DEBUG=1\n")
    env_file.chmod(0o644)
    secret_file = tmp_path / ".jwt_secret"
    secret_file.touch()
    secret_file.chmod(0o644)
    environ = {"APP_ENV": "production", "DATA_DIR": str(tmp_path), "CORS_ORIGINS": "*", "WEB_WORKERS": "0"}
    names = "WEB_WORKERS CORS_ORIGINS JWT_SECRET_KEY ADMIN_PASSWORD API_KEY_REQUIRED API_KEY_PREVIOUS"
    expected = [*names.split(), "METRICS_TOKEN", "FLASK_DEBUG", str(env_file), str(secret_file)]
    assert sorted(refused(environ, env_file)) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://loja.example", ("https://loja.example",)),
        (
            "http://localhost:3000, https://a.example:8443",
            ("http://localhost:3000", "https://a.example:8443"),
        ),
    ],
)
def test_origins_are_read_as_a_list(text: str, origins: tuple[str, ...]) -> None:
    assert read_settings({"CORS_ORIGINS": text}).cors_origins == origins


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "https://*.example",
        "null",
        "loja.example",
        "https://loja.example/",
        "https://loja.example/app",
        "https://LOJA.example",
        "https://loja.example:443",
        "http://loja.example:80",
        "https://user@loja.example",
        "https://a.example,",
        "https://a.example https://b.example",
        "ftp://a.example",
        ",".join(f"https://a{number}.example" for number in range(101)),
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(text: str) -> None:
    assert refused({"CORS_ORIGINS": text}) == ["CORS_ORIGINS"]


@pytest.mark.parametrize("name", ["JWT_SECRET_KEY_PREVIOUS", "API_KEY_PREVIOUS", "METRICS_TOKEN"])
def test_the_new_secrets_are_never_echoed(name: str) -> None:
    assert "segredo" not in "".join(problems_of({"APP_ENV": "production", name: "segredo-é"}))
