from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.core.schedule import Cron
from app.settings import InvalidSettings, Settings, read_settings

GOOD_SECRET = "x" * 32


def problems_of(environ: dict[str, str], env_file: Path | None = None) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        read_settings(environ, env_file)
    return caught.value.problems


def test_nothing_given_means_the_defaults() -> None:
    settings = read_settings({})
    assert (settings.app_env, settings.port) == ("development", 5000)
    assert settings.data_dir == Path("data").absolute()
    assert settings.scraper_max_failed_share == Decimal("0.02")
    assert not settings.production


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("APP_ENV", "development", "app_env", "development"),
        ("HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("FLASK_APP_PORT", "1", "port", 1),
        ("FLASK_APP_PORT", "65535", "port", 65535),
        ("FLASK_APP_PORT", " 8080 ", "port", 8080),
        ("PORT", "10000", "port", 10_000),
        ("PORT", "", "port", 5_000),
        ("LOGS_PUBLIC", "TRUE", "logs_public", True),
        ("LOGS_PUBLIC", "1", "logs_public", True),
        ("LOGS_PUBLIC", "False", "logs_public", False),
        ("LOGS_PUBLIC", "0", "logs_public", False),
        ("DATA_DIR", "/srv/shop", "data_dir", Path("/srv/shop")),
        ("DATA_DIR", "x", "data_dir", Path.cwd() / "x"),
        ("DATABASE_URL", "sqlite:////srv/shop.db", "database_url", "sqlite:////srv/shop.db"),
        ("DATABASE_URL", "postgresql+psycopg://u@h/d", "database_url", "postgresql+psycopg://u@h/d"),
        ("DATABASE_URL", "postgres://u@h/d", "database_url", "postgresql+psycopg://u@h/d"),
        ("DATABASE_URL", "postgresql://u@h/d?a=b", "database_url", "postgresql+psycopg://u@h/d?a=b"),
        ("DATABASE_URL", "sqlite:///C:/loja/a.db", "database_url", "sqlite:///C:/loja/a.db"),
        ("SCRAPER_MAX_FAILED_SHARE", "0", "scraper_max_failed_share", Decimal(0)),
        ("SCRAPER_MAX_FAILED_SHARE", "1", "scraper_max_failed_share", Decimal(1)),
        ("SCRAPER_MAX_PRICE", "0.01", "scraper_max_price", Decimal("0.01")),
        ("SCRAPER_MAX_PRICE_FACTOR", "1.5", "scraper_max_price_factor", Decimal("1.5")),
        ("SCRAPER_BASE_URL", "http://127.0.0.1:9/", "scraper_base_url", "http://127.0.0.1:9/"),
        ("SCRAPER_SCHEDULE", "", "scraper_schedule", None),
        ("SCRAPER_SCHEDULE", "0  3 * * MON", "scraper_schedule", Cron("0 3 * * MON", "UTC")),
        (
            "SCRAPER_SCHEDULE",
            "CRON_TZ=America/Sao_Paulo 0 3 * * *",
            "scraper_schedule",
            Cron("0 3 * * *", "America/Sao_Paulo"),
        ),
        ("SCRAPER_JITTER_S", "86400", "scraper_jitter_s", 86_400),
        ("ML_AUTO_TRAIN", "", "ml_auto_train", True),
        ("ML_AUTO_TRAIN", "TRUE", "ml_auto_train", True),
        ("ML_AUTO_TRAIN", "1", "ml_auto_train", True),
        ("ML_AUTO_TRAIN", "false", "ml_auto_train", False),
        ("ML_AUTO_TRAIN", "0", "ml_auto_train", False),
        ("ML_TRAINING_TIMEOUT_S", "", "ml_training_timeout_s", 600),
        ("ML_TRAINING_TIMEOUT_S", "1", "ml_training_timeout_s", 1),
        ("ML_TRAINING_TIMEOUT_S", "86400", "ml_training_timeout_s", 86_400),
        ("ML_MAX_BATCH", "", "ml_max_batch", 1_000),
        ("ML_MAX_BATCH", "1", "ml_max_batch", 1),
        ("ML_MAX_BATCH", "10000", "ml_max_batch", 10_000),
        ("JWT_SECRET_KEY", GOOD_SECRET, "jwt_secret_key", GOOD_SECRET),
        ("JWT_SECRET_KEY", "é" * 16, "jwt_secret_key", "é" * 16),
        ("ADMIN_PASSWORD", "", "admin_password", "1234"),
        ("LOGIN_FAILURES_PER_ACCOUNT_PER_MINUTE", "1", "login_failures_per_account", 1),
        ("LOGINS_AT_ONCE", "64", "logins_at_once", 64),
        ("WRITES_PER_MINUTE", "0", "writes_per_minute", 0),
        ("WRITES_PER_MINUTE", "10000000", "writes_per_minute", 10_000_000),
        ("RUNS_PER_MINUTE", "0", "runs_per_minute", 0),
        ("READS_PER_MINUTE", "", "reads_per_minute", 0),
        ("MAX_PER_PAGE", "1", "max_per_page", 1),
        ("ORDER_MAX_ITEMS", "", "order_max_items", 100),
        ("SCRAPE_RUNS_KEPT", "10000", "scrape_runs_kept", 10_000),
        ("MODELS_KEPT", "1", "models_kept", 1),
        ("HISTORY_DAYS", "0", "history_days", 0),
        ("HISTORY_DAYS", "36500", "history_days", 36_500),
        (
            "RATELIMIT_STORAGE_URI",
            "redis://:x@cache:6379/0",
            "ratelimit_storage_uri",
            "redis://:x@cache:6379/0",
        ),
        ("RATELIMIT_STORAGE_URI", "rediss://cache", "ratelimit_storage_uri", "rediss://cache"),
    ],
)
def test_a_good_value_is_read_as_its_type(name: str, text: str, field: str, value: Any) -> None:
    assert getattr(read_settings({name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("APP_ENV", "staging"),
        ("APP_ENV", "Production"),
        ("LOG_LEVEL", "TRACE"),
        ("LOGS_PUBLIC", "yes"),
        ("FLASK_APP_PORT", "65536"),
        ("FLASK_APP_PORT", "-1"),
        ("FLASK_APP_PORT", "5e3"),
        ("FLASK_APP_PORT", "٥"),
        ("FLASK_APP_PORT", "9" * 5_000),
        ("FLASK_APP_PORT", "0"),
        ("PORT", "0"),
        ("PORT", "$PORT"),
        ("TRUSTED_PROXIES", "0" * 20 + "99"),
        ("WEB_WORKERS", "0"),
        ("MAX_BODY_BYTES", "1023"),
        ("IMPORT_MAX_BYTES", "1023"),
        ("IMPORT_MAX_BYTES", "200000001"),
        ("PASSWORD_HASH_MEMORY_KIB", "7"),
        ("LOGIN_FAILURES_PER_ACCOUNT_PER_MINUTE", "0"),
        ("LOGINS_AT_ONCE", "0"),
        ("LOGINS_AT_ONCE", "65"),
        ("WRITES_PER_MINUTE", "10000001"),
        ("RUNS_PER_MINUTE", "10001"),
        ("READS_PER_MINUTE", "-1"),
        ("MAX_PER_PAGE", "1001"),
        ("ORDER_MAX_ITEMS", "101"),
        ("ORDER_MAX_ITEMS", "0"),
        ("SCRAPE_RUNS_KEPT", "0"),
        ("MODELS_KEPT", "101"),
        ("HISTORY_DAYS", "36501"),
        ("HISTORY_DAYS", "-1"),
        ("RATELIMIT_STORAGE_URI", "memory://"),
        ("RATELIMIT_STORAGE_URI", "redis://"),
        ("RATELIMIT_STORAGE_URI", "redis://cache:99999"),
        ("ML_AUTO_TRAIN", "yes"),
        ("ML_AUTO_TRAIN", "2"),
        ("ML_TRAINING_TIMEOUT_S", "0"),
        ("ML_TRAINING_TIMEOUT_S", "86401"),
        ("ML_TRAINING_TIMEOUT_S", "0.5"),
        ("ML_MAX_BATCH", "0"),
        ("ML_MAX_BATCH", "10001"),
        ("ML_MAX_BATCH", "-1"),
        ("SCRAPER_MAX_FAILED_SHARE", "1.01"),
        ("SCRAPER_MAX_FAILED_SHARE", "-0.1"),
        ("SCRAPER_MAX_FAILED_SHARE", "2%"),
        ("SCRAPER_MAX_PRICE", "NaN"),
        ("SCRAPER_MAX_PRICE", "sNaN"),
        ("SCRAPER_MAX_PRICE", "Infinity"),
        ("SCRAPER_MAX_PRICE", "0"),
        ("SCRAPER_MAX_PRICE_FACTOR", "0.99"),
        ("SCRAPER_BASE_URL", "ftp://books.invalid/"),
        ("SCRAPER_SCHEDULE", "@daily"),
        ("SCRAPER_SCHEDULE", "0 25 * * *"),
        ("SCRAPER_SCHEDULE", "0 3 30 2 *"),
        ("SCRAPER_SCHEDULE", "CRON_TZ=America/Nenhures 0 3 * * *"),
        ("SCRAPER_SCHEDULE", "CRON_TZ=UTC"),
        ("SCRAPER_SCHEDULE", "TZ=UTC 0 3 * * *"),
        ("SCRAPER_JITTER_S", "86401"),
        ("SCRAPER_BASE_URL", "books.invalid"),
        ("SCRAPER_BASE_URL", "http://"),
        ("SCRAPER_BASE_URL", "http://[::1"),
        ("DATABASE_URL", "mysql://h/d"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///"),  # SQLAlchemy's other spelling of a database in memory
        ("JWT_SECRET_KEY", "x" * 31),
    ],
)
def test_a_bad_value_is_refused_by_the_settings_name(name: str, text: str) -> None:
    problems = problems_of({name: text})
    assert len(problems) == 1
    assert problems[0].startswith(name)


def test_everything_wrong_is_reported_at_once() -> None:
    problems = problems_of({"FLASK_APP_PORT": "x", "LOGS_PUBLIC": "x", "JWT_SECRET_KEY": "x", "APP_ENV": "x"})
    assert {problem.split()[0] for problem in problems} == {
        "FLASK_APP_PORT",
        "LOGS_PUBLIC",
        "JWT_SECRET_KEY",
        "APP_ENV",
    }


def test_the_message_holds_each_problem_on_a_line() -> None:
    with pytest.raises(
        InvalidSettings, match=r"(?s)Configuração inválida:\n  - HOST.*|FLASK_APP_PORT"
    ) as caught:
        read_settings({"FLASK_APP_PORT": "x", "WEB_THREADS": "x"})
    assert len(str(caught.value).splitlines()) == 3


def test_a_bad_value_is_shown_but_never_a_long_one_whole() -> None:
    assert "'five'" in problems_of({"WEB_THREADS": "five"})[0]
    assert len(problems_of({"WEB_THREADS": "5" * 10_000})[0]) < 200


@pytest.mark.parametrize("app_env", ["development", "production"])
def test_secrets_are_never_echoed(app_env: str) -> None:
    secrets = {
        "JWT_SECRET_KEY": "short-jwt-secret",
        "ADMIN_PASSWORD": "pw-7car",
        "API_KEY_REQUIRED": "minha_chave_secreta_empresa",
        "DATABASE_URL": "mysql://shop:db-password@h/d",
        "RATELIMIT_STORAGE_URI": "redis://:cache-password@/0",
    }
    told = "\n".join(problems_of({"APP_ENV": app_env, **secrets}))
    for secret in (
        "short-jwt-secret",
        "pw-7car",
        "minha_chave_secreta_empresa",
        "db-password",
        "cache-password",
    ):
        assert secret not in told


def test_production_names_everything_that_it_misses_at_once() -> None:
    problems = problems_of({"APP_ENV": "production", "FLASK_APP_PORT": "x"})
    assert {problem.split()[0] for problem in problems} == {
        "FLASK_APP_PORT",
        "JWT_SECRET_KEY",
        "ADMIN_PASSWORD",
        "API_KEY_REQUIRED",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("JWT_SECRET_KEY", ""),
        ("JWT_SECRET_KEY", "x" * 31),
        ("ADMIN_PASSWORD", "1234"),
        ("ADMIN_PASSWORD", "1234567"),
        ("API_KEY_REQUIRED", ""),
    ],
)
def test_production_refuses_each_weak_secret_alone(name: str, text: str) -> None:
    problems = problems_of({**PRODUCTION, name: text})
    assert len(problems) == 1
    assert problems[0].startswith(name)


PRODUCTION = {
    "APP_ENV": "production",
    "JWT_SECRET_KEY": GOOD_SECRET,
    "ADMIN_PASSWORD": "12345678",
    "API_KEY_REQUIRED": "a key of our own",
}


def test_production_starts_with_secrets_of_its_own() -> None:
    assert read_settings(PRODUCTION).production


@pytest.mark.parametrize(
    ("environ", "public"),
    [
        ({}, True),
        ({"LOGS_PUBLIC": "false"}, False),
        (PRODUCTION, False),
        ({**PRODUCTION, "LOGS_PUBLIC": "true"}, True),
        ({**PRODUCTION, "LOGS_PUBLIC": "false"}, False),
        ({**PRODUCTION, "LOGS_PUBLIC": ""}, False),  # an empty value means the default
        ({**PRODUCTION, "LOGS_PUBLIC": "  "}, False),
    ],
)
def test_logs_are_public_by_default_in_development_only(environ: dict[str, str], public: bool) -> None:
    assert read_settings(environ).logs_public is public


def test_the_port_of_a_platform_wins_and_messages_name_it() -> None:
    both = read_settings({"PORT": "10000", "FLASK_APP_PORT": "8080"})
    assert (both.port, both.port_name) == (10_000, "PORT")
    ours = read_settings({"PORT": " ", "FLASK_APP_PORT": "8080"})
    assert (ours.port, ours.port_name) == (8_080, "FLASK_APP_PORT")


def test_settings_cannot_be_changed() -> None:
    settings = read_settings({})
    with pytest.raises(AttributeError):
        settings.host = "x"  # type: ignore[misc]


def test_no_two_settings_have_one_name() -> None:
    names = [each.metadata["name"] for each in fields(Settings)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("password", ["x" * 129, "line\nbreak-password", "\x1bescape-password"])
def test_an_admin_password_that_no_login_accepts_is_refused(password: str) -> None:
    for environ in ({}, PRODUCTION):
        problems = problems_of({**environ, "ADMIN_PASSWORD": password})
        assert len(problems) == 1
        assert problems[0].startswith("ADMIN_PASSWORD")
        assert password[:20] not in problems[0]


def test_the_longest_admin_password_is_one_that_a_login_accepts() -> None:
    assert read_settings({**PRODUCTION, "ADMIN_PASSWORD": "x" * 128}).admin_password == "x" * 128


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 25 * * *", "SCRAPER_SCHEDULE tem um campo inválido: hora (veio '0 25 * * *')"),
        (
            "CRON_TZ=X 0 3 * * *",
            "SCRAPER_SCHEDULE tem em CRON_TZ o que não é um fuso conhecido, como America/Sao_Paulo ou UTC "
            "(veio 'CRON_TZ=X 0 3 * * *')",
        ),
    ],
)
def test_a_schedule_that_can_not_be_used_says_why(text: str, message: str) -> None:
    assert problems_of({"SCRAPER_SCHEDULE": text}) == [message]
