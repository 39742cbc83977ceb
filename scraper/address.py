"""The address of a shop, and the user and password that it may contain."""

from base64 import b64encode
from urllib.parse import unquote, urlsplit


def without_credentials(url: str) -> str:
    """Return `url` without user and password. Raises ValueError for one that cannot be read."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else url


def authorization(url: str) -> str | None:
    """Return the Authorization header for the user and password in `url`; None where there are none."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return None
    credentials = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(credentials.encode()).decode()}"


def origin_of(url: str) -> str | None:
    """Return scheme, host and port in one spelling; None unless `url` is an absolute http(s) URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
