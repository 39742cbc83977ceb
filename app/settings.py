"""The settings, read once from the environment and `.env`."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.core.accounts import MAX_PASSWORD_CHARS
from app.core.orders import MAX_LINES
from app.production import MIN_SECRET_BYTES, SECRETS, exposed_files, production_problems
from app.production import SAMPLE_ADMIN_PASSWORD as SAMPLE_ADMIN_PASSWORD
from app.production import SAMPLE_API_KEY as SAMPLE_API_KEY
from environment import read_environment

ENV_FILE = Path(".env")
MAX_ORIGINS = 100
_ORIGIN = re.compile(r"http://[a-z0-9.-]+(:(?!80\b)\d{1,5})?|https://[a-z0-9.-]+(:(?!443\b)\d{1,5})?")


class InvalidSettings(Exception):
    """The environment can't be used; `problems` has a sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["Configuração inválida:", *(f"  - {problem}" for problem in problems)]))


def _text(value: str) -> str:
    if not value:
        raise ValueError("não pode ficar vazio")
    return value


def _header_value(value: str) -> str:
    """Return text that can be sent in a header unambiguously. Raises ValueError."""
    if not value.isascii() or not value.isprintable():
        raise ValueError("deve ter só caracteres ASCII imprimíveis")
    return _text(value)


def _optional_header_value(value: str) -> str:
    return _header_value(value) if value else ""


def _password(value: str) -> str:
    """Return a password that a login accepts. Raises ValueError."""
    if not 1 <= len(value) <= MAX_PASSWORD_CHARS:
        raise ValueError(f"deve ter de 1 a {MAX_PASSWORD_CHARS} caracteres")
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise ValueError("tem caracteres de controle")
    return value


def _origins(value: str) -> tuple[str, ...]:
    """Return origins as browsers send them, which leave out a scheme's usual port. Raises ValueError."""
    origins = tuple(part.strip() for part in value.split(",")) if value else ()
    if len(origins) > MAX_ORIGINS or not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError(
            f"deve listar até {MAX_ORIGINS} origens exatas, como https://loja.example, separadas por vírgulas"
        )
    return origins


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"deve ser {' ou '.join(choices)}")
        return value

    return parse


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > 12 or not low <= int(value) <= high:
            raise ValueError(f"deve ser um inteiro de {low} a {high}")
        return int(value)

    return parse


def _optional_integer(low: int, high: int) -> Callable[[str], int | None]:
    parse = _integer(low, high)
    return lambda value: parse(value) if value else None


def _decimal(low: str, high: str) -> Callable[[str], Decimal]:
    def parse(value: str) -> Decimal:
        try:
            number = Decimal("NaN" if "_" in value else value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not (number.is_finite() and Decimal(low) <= number <= Decimal(high)):
            raise ValueError(f"deve ser um número de {low} a {high}")
        return number

    return parse


def _share(value: str) -> Decimal:
    return _decimal("0", "1")(value)


def _yes_no(value: str) -> bool | None:
    """Return None for an empty value. Raises ValueError."""
    words = {"true": True, "1": True, "false": False, "0": False, "": None}
    if value.lower() not in words:
        raise ValueError("deve ser true ou false")
    return words[value.lower()]


def _address(value: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if value == "localhost" else value))
    except ValueError:
        raise ValueError("deve ser um endereço IP, como 127.0.0.1 ou 0.0.0.0") from None


def _database_url(value: str) -> str:
    if value.startswith("postgresql+psycopg://"):
        _check_port(value)
    elif value and not value.startswith("sqlite:////"):
        raise ValueError("deve começar com sqlite:////caminho/absoluto ou postgresql+psycopg://")
    if ":memory:" in value:
        raise ValueError("deve nomear um arquivo: nenhuma outra conexão vê um banco em memória")
    return value


def _redis_url(value: str) -> str:
    if value:
        if not value.startswith(("redis://", "rediss://")) or not urlsplit(value).hostname:
            raise ValueError("deve ser um endereço redis:// ou rediss://")
        _check_port(value)
    return value


def _check_port(url: str) -> None:
    try:
        usable = urlsplit(url).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("tem uma porta impossível")


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("deve ser um endereço http:// ou https://")
    return value


def _setting(name: str, parse: Callable[[str], Any], default: str) -> Any:
    return field(metadata={"name": name, "parse": parse, "default": default})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one start; `.env.example` explains each in a sentence."""

    app_env: str = _setting("APP_ENV", _one_of("development", "production"), "development")
    host: str = _setting("HOST", _address, "127.0.0.1")
    port: int = _setting("FLASK_APP_PORT", _integer(1, 65535), "5000")
    web_workers: int = _setting("WEB_WORKERS", _integer(1, 64), "1")
    web_threads: int = _setting("WEB_THREADS", _integer(1, 256), "32")
    trusted_proxies: int = _setting("TRUSTED_PROXIES", _integer(0, 10), "0")
    cors_origins: tuple[str, ...] = _setting("CORS_ORIGINS", _origins, "")
    max_body_bytes: int = _setting("MAX_BODY_BYTES", _integer(1_024, 100_000_000), "1000000")
    max_header_bytes: int = _setting("MAX_HEADER_BYTES", _integer(16_384, 1_000_000), "65536")
    max_url_bytes: int = _setting("MAX_URL_BYTES", _integer(1_024, 60_000), "8192")
    body_threads: int = _setting("BODY_THREADS", _integer(1, 256), "32")
    body_timeout_s: int = _setting("BODY_TIMEOUT_S", _integer(1, 300), "10")
    body_min_rate: int = _setting("BODY_MIN_RATE", _integer(1_024, 100_000_000), "16384")
    send_timeout_s: int = _setting("SEND_TIMEOUT_S", _integer(1, 3_600), "20")
    max_connections: int = _setting("MAX_CONNECTIONS", _integer(100, 100_000), "5000")
    drain_delay_s: int = _setting("DRAIN_DELAY_S", _integer(0, 300), "0")
    response_cache_bytes: int = _setting("RESPONSE_CACHE_BYTES", _integer(0, 10_000_000_000), "32000000")
    log_level: str = _setting("LOG_LEVEL", _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
    log_max_bytes: int = _setting("LOG_MAX_BYTES", _integer(10_000, 999_999_999_999), "10000000")
    log_files: int = _setting("LOG_FILES", _integer(2, 100), "5")
    logs_public_setting: bool | None = _setting("LOGS_PUBLIC", _yes_no, "")

    metrics_token: str = _setting("METRICS_TOKEN", _optional_header_value, "")
    metrics_inventory_books: int = _setting("METRICS_INVENTORY_BOOKS", _integer(0, 1_000), "50")

    data_dir: Path = _setting("DATA_DIR", lambda value: Path(_text(value)).absolute(), "data")
    database_url: str = _setting("DATABASE_URL", _database_url, "")

    jwt_secret_key: str = _setting("JWT_SECRET_KEY", str, "")
    jwt_secret_key_previous: str = _setting("JWT_SECRET_KEY_PREVIOUS", str, "")
    admin_password: str = _setting("ADMIN_PASSWORD", _password, SAMPLE_ADMIN_PASSWORD)
    api_key: str = _setting("API_KEY_REQUIRED", _header_value, SAMPLE_API_KEY)
    api_key_previous: str = _setting("API_KEY_PREVIOUS", _optional_header_value, "")
    password_hash_memory_kib: int = _setting("PASSWORD_HASH_MEMORY_KIB", _integer(8, 1_048_576), "19456")
    password_hash_rounds: int = _setting("PASSWORD_HASH_ROUNDS", _integer(1, 100), "2")
    login_failures_per_minute: int = _setting("LOGIN_FAILURES_PER_MINUTE", _integer(1, 1_000), "5")
    login_failures_per_address: int = _setting(
        "LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE", _integer(1, 10_000), "30"
    )
    login_failures_per_account: int = _setting(
        "LOGIN_FAILURES_PER_ACCOUNT_PER_MINUTE", _integer(1, 100_000), "100"
    )
    logins_at_once: int = _setting("LOGINS_AT_ONCE", _integer(1, 64), "1")

    writes_per_minute: int = _setting("WRITES_PER_MINUTE", _integer(0, 10_000_000), "6000")
    runs_per_minute: int = _setting("RUNS_PER_MINUTE", _integer(0, 10_000), "30")
    reads_per_minute: int = _setting("READS_PER_MINUTE", _integer(0, 10_000_000), "0")
    ratelimit_storage_uri: str = _setting("RATELIMIT_STORAGE_URI", _redis_url, "")
    max_per_page: int = _setting("MAX_PER_PAGE", _integer(1, 1_000), "1000")
    order_max_items: int = _setting("ORDER_MAX_ITEMS", _integer(1, MAX_LINES), str(MAX_LINES))
    scrape_runs_kept: int = _setting("SCRAPE_RUNS_KEPT", _integer(1, 10_000), "100")
    models_kept: int = _setting("MODELS_KEPT", _integer(1, 100), "10")

    payment_timeout_s: Decimal = _setting("PAYMENT_TIMEOUT_S", _decimal("0.1", "60"), "5")
    simulation_payment_denied_rate: Decimal = _setting("SIMULATION_PAYMENT_DENIED_RATE", _share, "0")
    simulation_payment_error_rate: Decimal = _setting("SIMULATION_PAYMENT_ERROR_RATE", _share, "0")
    simulation_payment_latency_ms: int = _setting("SIMULATION_PAYMENT_LATENCY_MS", _integer(0, 60_000), "0")
    simulation_stock_failure_rate: Decimal = _setting("SIMULATION_STOCK_FAILURE_RATE", _share, "0")
    simulation_internal_error_rate: Decimal = _setting("SIMULATION_INTERNAL_ERROR_RATE", _share, "0")
    simulation_slow_rate: Decimal = _setting("SIMULATION_SLOW_RATE", _share, "0")
    simulation_slow_ms: int = _setting("SIMULATION_SLOW_MS", _integer(0, 60_000), "2000")
    simulation_seed: int | None = _setting("SIMULATION_SEED", _optional_integer(0, 2**31 - 1), "")

    ml_auto_train: bool = _setting("ML_AUTO_TRAIN", lambda value: _yes_no(_text(value)), "true")
    ml_training_timeout_s: int = _setting("ML_TRAINING_TIMEOUT_S", _integer(1, 86_400), "600")
    ml_max_batch: int = _setting("ML_MAX_BATCH", _integer(1, 10_000), "1000")

    scraper_base_url: str = _setting("SCRAPER_BASE_URL", _http_url, "https://books.toscrape.com/")
    scraper_concurrency: int = _setting("SCRAPER_CONCURRENCY", _integer(1, 64), "8")
    scraper_max_attempts: int = _setting("SCRAPER_MAX_ATTEMPTS", _integer(1, 20), "8")
    scraper_connect_timeout_s: int = _setting("SCRAPER_CONNECT_TIMEOUT_S", _integer(1, 300), "5")
    scraper_read_timeout_s: int = _setting("SCRAPER_READ_TIMEOUT_S", _integer(1, 300), "30")
    scraper_max_failed_share: Decimal = _setting("SCRAPER_MAX_FAILED_SHARE", _share, "0.02")
    scraper_max_vanished_share: Decimal = _setting("SCRAPER_MAX_VANISHED_SHARE", _share, "0.20")
    scraper_max_lost_category_share: Decimal = _setting("SCRAPER_MAX_LOST_CATEGORY_SHARE", _share, "0.20")
    scraper_max_renamed_share: Decimal = _setting("SCRAPER_MAX_RENAMED_SHARE", _share, "0.20")
    scraper_max_sold_out_share: Decimal = _setting("SCRAPER_MAX_SOLD_OUT_SHARE", _share, "0.30")
    scraper_max_absurd_price_share: Decimal = _setting("SCRAPER_MAX_ABSURD_PRICE_SHARE", _share, "0")
    scraper_max_price: Decimal = _setting("SCRAPER_MAX_PRICE", _decimal("0.01", "99999999.99"), "1000.00")
    scraper_max_price_factor: Decimal = _setting("SCRAPER_MAX_PRICE_FACTOR", _decimal("1", "1000000"), "10")

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
