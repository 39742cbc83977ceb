"""Rate limits on failed logins."""

import functools
import math
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from flask_limiter.util import get_remote_address

from app.core.errors import ShopError
from app.settings import Settings
from app.web.endpoint import operation_of
from app.web.error_handlers import problem
from app.web.parsing import json_body


def throttle_failures(app: Flask, settings: Settings) -> None:
    """Respond with 429 on throttled routes after too many 401s for an account from one address, or from one address.

    Successes don't count. The counters are this application's, in its memory; they end with their minute.
    """
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", strategy="fixed-window")
    for endpoint, view in app.view_functions.items():
        declared = operation_of(view)
        if declared is not None and declared.throttled:
            app.view_functions[endpoint] = _limited(limiter, view, settings)
    app.register_error_handler(RateLimitExceeded, functools.partial(_refuse, limiter))


def _limited(limiter: Limiter, view: Callable[..., Any], settings: Settings) -> Callable[..., Any]:
    for rate, key in (
        (settings.login_failures_per_minute, _account_and_address),
        (settings.login_failures_per_address, get_remote_address),
    ):
        view = limiter.limit(f"{rate} per minute", key_func=key, deduct_when=_failed)(view)
    return view


def _refuse(limiter: Limiter, _error: RateLimitExceeded) -> Response:
    exceeded = limiter.current_limit
    wait_s = max(1, math.ceil(exceeded.reset_at - time.time())) if exceeded else 60
    response = problem(429, f"Tentativas demais. Tente de novo em {wait_s} segundos.")
    response.headers["Retry-After"] = str(wait_s)
    return response


def _account_and_address() -> str:
    """Return the account and the address, so that wrong guesses lock no account out at other addresses."""
    try:
        body = json_body()
    except ShopError:
        body = None
    username = body.get("username") if isinstance(body, dict) else None
    return f"{get_remote_address()}|{str(username)[:80]}"


def _failed(response: Response) -> bool:
    return response.status_code == 401
