"""Rate limits on failed logins."""

import functools
import math
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.core.errors import ShopError, Unauthenticated
from app.settings import Settings
from app.web.clients import client_of
from app.web.endpoint import operation_of
from app.web.error_handlers import problem
from app.web.parsing import json_body

View = Callable[..., Any]


def throttle_failures(app: Flask, settings: Settings) -> None:
    """Respond with 429 on throttled routes after too many 401s for an account from one address, or from one address.

    Successes don't count. The counters are this application's, in its memory; they end with their minute.
    """
    limiter = FixedWindowRateLimiter(MemoryStorage())
    for endpoint, view in app.view_functions.items():
        declared = operation_of(view)
        if declared is not None and declared.throttled:
            app.view_functions[endpoint] = _limited(limiter, view, settings)


def _limited(limiter: FixedWindowRateLimiter, view: View, settings: Settings) -> View:
    per_account = RateLimitItemPerMinute(settings.login_failures_per_minute)
    per_address = RateLimitItemPerMinute(settings.login_failures_per_address)

    @functools.wraps(view)
    def run(**arguments: Any) -> Any:
        address = client_of(request.environ)
        # Per account at an address, so that wrong guesses lock no account out at other addresses.
        counters = ((per_account, f"{address}|{_account()}"), (per_address, address))
        for limit, key in counters:
            if not limiter.test(limit, key):
                return _refuse(limiter, limit, key)
        try:
            return view(**arguments)
        except Unauthenticated:
            for limit, key in counters:
                limiter.hit(limit, key)
            raise

    return run


def _refuse(limiter: FixedWindowRateLimiter, limit: RateLimitItem, key: str) -> Response:
    wait_s = max(1, math.ceil(limiter.get_window_stats(limit, key).reset_time - time.time()))
    response = problem(429, f"Tentativas demais. Tente de novo em {wait_s} segundos.")
    response.headers["Retry-After"] = str(wait_s)
    return response


def _account() -> str:
    try:
        body = json_body()
    except ShopError:
        return ""
    return str(body.get("username"))[:80] if isinstance(body, dict) else ""
