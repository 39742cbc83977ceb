"""The settings, read once from the environment and `.env`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from app import setting_types as types
from app.core.orders import MAX_LINES
from app.core.schedule import MAX_JITTER_S, Cron
from app.production import MIN_SECRET_BYTES, SECRETS, exposed_files, production_problems
from app.production import SAMPLE_ADMIN_PASSWORD as SAMPLE_ADMIN_PASSWORD
from app.production import SAMPLE_API_KEY as SAMPLE_API_KEY
from environment import ambiguous_names, read_environment

ENV_FILE = Path(".env")


class InvalidSettings(Exception):
    """The environment can't be used; `problems` has a sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["Configuração inválida:", *(f"  - {problem}" for problem in problems)]))


def _setting(name: str, parse: Callable[[str], Any], default: str) -> Any:
    return field(metadata={"name": name, "parse": parse, "default": default})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one start; `.env.example` explains each in a sentence."""

    app_env: str = _setting("APP_ENV", types.one_of("development", "production"), "development")
    host: str = _setting("HOST", types.address, "127.0.0.1")
    port_setting: int = _setting("FLASK_APP_PORT", types.integer(1, 65535), "5000")
    platform_port: int | None = _setting("PORT", types.optional_integer(1, 65535), "")
    web_workers: int = _setting("WEB_WORKERS", types.integer(1, 64), "1")
    web_threads: int = _setting("WEB_THREADS", types.integer(1, 256), "32")
    trusted_proxies: int = _setting("TRUSTED_PROXIES", types.integer(0, 10), "0")
    cors_origins: tuple[str, ...] = _setting("CORS_ORIGINS", types.origins, "")
    max_body_bytes: int = _setting("MAX_BODY_BYTES", types.integer(1_024, 100_000_000), "1000000")
    import_max_bytes: int = _setting("IMPORT_MAX_BYTES", types.integer(1_024, 200_000_000), "10000000")
    max_header_bytes: int = _setting("MAX_HEADER_BYTES", types.integer(16_384, 1_000_000), "65536")
    max_url_bytes: int = _setting("MAX_URL_BYTES", types.integer(1_024, 60_000), "8192")
    body_threads: int = _setting("BODY_THREADS", types.integer(1, 256), "32")
    body_timeout_s: int = _setting("BODY_TIMEOUT_S", types.integer(1, 300), "10")
    body_min_rate: int = _setting("BODY_MIN_RATE", types.integer(1_024, 100_000_000), "16384")
    send_timeout_s: int = _setting("SEND_TIMEOUT_S", types.integer(1, 3_600), "20")
    max_connections: int = _setting("MAX_CONNECTIONS", types.integer(100, 100_000), "5000")
    drain_delay_s: int = _setting("DRAIN_DELAY_S", types.integer(0, 300), "0")
    response_cache_bytes: int = _setting("RESPONSE_CACHE_BYTES", types.integer(0, 10_000_000_000), "32000000")
    log_level: str = _setting("LOG_LEVEL", types.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
    log_max_bytes: int = _setting("LOG_MAX_BYTES", types.integer(10_000, 999_999_999_999), "10000000")
    log_files: int = _setting("LOG_FILES", types.integer(2, 100), "5")
    logs_public_setting: bool | None = _setting("LOGS_PUBLIC", types.yes_no, "")

    metrics_token: str = _setting("METRICS_TOKEN", types.optional_header_value, "")
    metrics_inventory_books: int = _setting("METRICS_INVENTORY_BOOKS", types.integer(0, 1_000), "50")

    data_dir: Path = _setting("DATA_DIR", lambda value: Path(types.text(value)).absolute(), "data")
    database_url: str = _setting("DATABASE_URL", types.database_url, "")

    jwt_secret_key: str = _setting("JWT_SECRET_KEY", str, "")
    jwt_secret_key_previous: str = _setting("JWT_SECRET_KEY_PREVIOUS", str, "")
    admin_password: str = _setting("ADMIN_PASSWORD", types.password, SAMPLE_ADMIN_PASSWORD)
    api_key: str = _setting("API_KEY_REQUIRED", types.header_value, SAMPLE_API_KEY)
    api_key_previous: str = _setting("API_KEY_PREVIOUS", types.optional_header_value, "")
    password_hash_memory_kib: int = _setting("PASSWORD_HASH_MEMORY_KIB", types.integer(8, 1_048_576), "19456")
    password_hash_rounds: int = _setting("PASSWORD_HASH_ROUNDS", types.integer(1, 100), "2")
    login_failures_per_minute: int = _setting("LOGIN_FAILURES_PER_MINUTE", types.integer(1, 1_000), "5")
    login_failures_per_address: int = _setting(
        "LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE", types.integer(1, 10_000), "30"
    )
    login_failures_per_account: int = _setting(
        "LOGIN_FAILURES_PER_ACCOUNT_PER_MINUTE", types.integer(1, 100_000), "100"
    )
    logins_at_once: int = _setting("LOGINS_AT_ONCE", types.integer(1, 64), "1")

    writes_per_minute: int = _setting("WRITES_PER_MINUTE", types.integer(0, 10_000_000), "6000")
    runs_per_minute: int = _setting("RUNS_PER_MINUTE", types.integer(0, 10_000), "30")
    reads_per_minute: int = _setting("READS_PER_MINUTE", types.integer(0, 10_000_000), "0")
    ratelimit_storage_uri: str = _setting("RATELIMIT_STORAGE_URI", types.redis_url, "")
    max_per_page: int = _setting("MAX_PER_PAGE", types.integer(1, 1_000), "1000")
    order_max_items: int = _setting("ORDER_MAX_ITEMS", types.integer(1, MAX_LINES), str(MAX_LINES))
    scrape_runs_kept: int = _setting("SCRAPE_RUNS_KEPT", types.integer(1, 10_000), "100")
    models_kept: int = _setting("MODELS_KEPT", types.integer(1, 100), "10")
    history_days: int = _setting("HISTORY_DAYS", types.integer(0, 36_500), "1825")

    payment_timeout_s: Decimal = _setting("PAYMENT_TIMEOUT_S", types.decimal("0.1", "60"), "5")
    simulation_payment_denied_rate: Decimal = _setting("SIMULATION_PAYMENT_DENIED_RATE", types.share, "0")
    simulation_payment_error_rate: Decimal = _setting("SIMULATION_PAYMENT_ERROR_RATE", types.share, "0")
    simulation_payment_latency_ms: int = _setting(
        "SIMULATION_PAYMENT_LATENCY_MS", types.integer(0, 60_000), "0"
    )
    simulation_stock_failure_rate: Decimal = _setting("SIMULATION_STOCK_FAILURE_RATE", types.share, "0")
    simulation_internal_error_rate: Decimal = _setting("SIMULATION_INTERNAL_ERROR_RATE", types.share, "0")
    simulation_slow_rate: Decimal = _setting("SIMULATION_SLOW_RATE", types.share, "0")
    simulation_slow_ms: int = _setting("SIMULATION_SLOW_MS", types.integer(0, 60_000), "2000")
    simulation_seed: int | None = _setting("SIMULATION_SEED", types.optional_integer(0, 2**31 - 1), "")

    ml_auto_train: bool = _setting("ML_AUTO_TRAIN", lambda value: types.yes_no(types.text(value)), "true")
    ml_training_timeout_s: int = _setting("ML_TRAINING_TIMEOUT_S", types.integer(1, 86_400), "600")
    ml_max_batch: int = _setting("ML_MAX_BATCH", types.integer(1, 10_000), "1000")

    scraper_base_url: str = _setting("SCRAPER_BASE_URL", types.http_url, "https://books.toscrape.com/")
    scraper_schedule: Cron | None = _setting("SCRAPER_SCHEDULE", types.schedule, "")
    scraper_jitter_s: int = _setting("SCRAPER_JITTER_S", types.integer(0, MAX_JITTER_S), "0")
    scraper_concurrency: int = _setting("SCRAPER_CONCURRENCY", types.integer(1, 64), "8")
    scraper_max_attempts: int = _setting("SCRAPER_MAX_ATTEMPTS", types.integer(1, 20), "8")
    scraper_connect_timeout_s: int = _setting("SCRAPER_CONNECT_TIMEOUT_S", types.integer(1, 300), "5")
    scraper_read_timeout_s: int = _setting("SCRAPER_READ_TIMEOUT_S", types.integer(1, 300), "30")
    scraper_max_failed_share: Decimal = _setting("SCRAPER_MAX_FAILED_SHARE", types.share, "0.02")
    scraper_max_vanished_share: Decimal = _setting("SCRAPER_MAX_VANISHED_SHARE", types.share, "0.20")
    scraper_max_lost_category_share: Decimal = _setting(
        "SCRAPER_MAX_LOST_CATEGORY_SHARE", types.share, "0.20"
    )
    scraper_max_renamed_share: Decimal = _setting("SCRAPER_MAX_RENAMED_SHARE", types.share, "0.20")
    scraper_max_sold_out_share: Decimal = _setting("SCRAPER_MAX_SOLD_OUT_SHARE", types.share, "0.30")
    scraper_max_absurd_price_share: Decimal = _setting("SCRAPER_MAX_ABSURD_PRICE_SHARE", types.share, "0")
    scraper_max_price: Decimal = _setting(
        "SCRAPER_MAX_PRICE", types.decimal("0.01", "99999999.99"), "1000.00"
    )
    scraper_max_price_factor: Decimal = _setting(
        "SCRAPER_MAX_PRICE_FACTOR", types.decimal("1", "1000000"), "10"
    )

    @property
    def port(self) -> int:
        """The port to listen on: the one that a platform gives, or else FLASK_APP_PORT."""
        return self.platform_port or self.port_setting

    @property
    def port_name(self) -> str:
        """The variable that the port is from."""
        return "PORT" if self.platform_port else "FLASK_APP_PORT"

    @property
    def production(self) -> bool:
        return self.app_env == "production"

    @property
    def logs_public(self) -> bool:
        """Whether logs need no token: LOGS_PUBLIC, or else whether this is development."""
        return not self.production if self.logs_public_setting is None else self.logs_public_setting

    @property
    def api_keys(self) -> tuple[str, ...]:
        """The keys that orders may be sent with."""
        return tuple(key for key in (self.api_key, self.api_key_previous) if key)


def read_settings(environ: Mapping[str, str], env_file: Path | None = None) -> Settings:
    """Read the settings; the environment wins over `env_file`, both over the defaults.

    Values in the file may be followed by ` # a comment`. An empty value means the default.
    Raises InvalidSettings with every fault.
    """
    try:
        texts = read_environment(env_file, environ)
        file_texts = read_environment(env_file, {})
        ambiguous = ambiguous_names(env_file)
    except (OSError, UnicodeDecodeError):
        raise InvalidSettings(
            [f"{env_file} não pode ser lido: deve ser um arquivo de texto em UTF-8"]
        ) from None
    values: dict[str, Any] = {}
    problems: list[str] = []
    for setting in fields(Settings):
        name, parse = setting.metadata["name"], setting.metadata["parse"]
        text = texts.get(name, "").strip() or setting.metadata["default"]
        try:
            values[setting.name] = parse(text)
        except ValueError as error:
            secret = name in SECRETS or "@" in text  # a URL may contain a password
            problems.append(f"{name} {error}" if secret else f"{name} {error} (veio {text[:80]!r})")
    problems += [f"{name} tem um $ em {env_file}: escreva o valor entre aspas simples" for name in ambiguous]
    problems += _contradictions(values)
    if values.get("app_env") == "production":
        problems += production_problems(values, texts)
        problems += exposed_files(env_file, file_texts, values.get("data_dir"))
    if problems:
        raise InvalidSettings(problems)
    return Settings(**values)


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    """Return the faults of settings that are valid on their own."""
    problems = []
    secret, previous = values.get("jwt_secret_key", ""), values.get("jwt_secret_key_previous", "")
    for name, key in (("JWT_SECRET_KEY", secret), ("JWT_SECRET_KEY_PREVIOUS", previous)):
        if key and len(key.encode()) < MIN_SECRET_BYTES:
            problems.append(f"{name} deve ter pelo menos {MIN_SECRET_BYTES} bytes")
    if previous and previous == secret:
        problems.append("JWT_SECRET_KEY_PREVIOUS deve ser outra chave que a de JWT_SECRET_KEY")
    if values.get("api_key_previous") and values["api_key_previous"] == values.get("api_key"):
        problems.append("API_KEY_PREVIOUS deve ser outra chave que a de API_KEY_REQUIRED")
    return problems
