from __future__ import annotations

import random
import time

import pytest

from app.observability.logs.masking import MAX_TRACE, looks_secret, mask, mask_trace

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIiwidHlwZSI6ImFjY2VzcyJ9.c2lnbmF0dXJlLW9mLXRva2Vu"
CARD = "4111111111111111"
KEY = "sk9fKq2LmZ7tXw4Rb8Vn"
ORDER_ID = "ORDER-7Q3EXAMPLEEXAMPLEEXAMPLE7Q"


@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        CARD,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        KEY,
        "0123456789abcdef0123456789abcdef",
        JWT[:60],
    ],
)
def test_text_that_looks_like_a_secret_is_masked(secret: str) -> None:
    assert secret not in mask(f"it was {secret}, said the client")
    assert secret not in mask(secret)
    assert secret not in mask_trace(f"ValueError: {secret}")


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2x",
        "senha: hunter2x",
        '{"password": "hunter2x"}',
        "Authorization: Bearer hunter2x",
        "X-API-Key: hunter2x",
        "postgresql://shop:hunter2x@host/db",
        "refresh_token='hunter2x'",
    ],
)
def test_a_value_that_is_named_a_secret_is_masked(text: str) -> None:
    assert "hunter2x" not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "alembic.runtime.migration: run an upgrade to replace it",
        "2026-11-22 10:00:00",
        "/work/main/app/services/accounts.py",
        "12 páginas com falha; 1.234567890123456 s",
        "http://127.0.0.1:5000/",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


def test_an_order_id_is_shortened_to_what_tells_it_apart_but_does_not_open_it() -> None:
    assert mask(ORDER_ID) == "ORDER-7Q3EXA…"


@pytest.mark.parametrize(
    "usual", ["5f0c6a8e2b7d4c1e9a3f5f0c6a8e2b7d", "550e8400-e29b-41d4-a716-446655440000", "x" * 64, "crash-1"]
)
def test_a_usual_request_id_is_no_secret(usual: str) -> None:
    assert not looks_secret(usual)


@pytest.mark.parametrize(
    "part",
    [
        "=",
        "+",
        "=a",
        "+A",
        "=a1",
        "_a",
        "_aA",
        "-",
        "1",
        "'1",
        "'a",
        "password",
        "token ",
        "eyJ",
        "://",
        "a.",
        "1-",
        "Aa=",
    ],
)
def test_masking_takes_a_time_in_proportion_to_the_text(part: str) -> None:
    text = "'" + part * (MAX_TRACE // len(part))
    started = time.process_time()
    mask_trace(text)
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize("around", ["{}", "={}", "x={}", "session_id={}", "+{}=", "(x+{})", "sk_live_{}"])
@pytest.mark.parametrize("key", [KEY, "0123456789abcdef0123456789abcdef"])
def test_a_key_is_masked_wherever_it_stands(around: str, key: str) -> None:
    assert key not in mask(around.format(key))


@pytest.mark.parametrize("alphabet", ["abcdefghijklmnopqrstuvwxyz_", "0123456789."])
def test_the_texts_that_are_not_looked_through_hold_nothing_to_mask(alphabet: str) -> None:
    chance = random.Random(alphabet)
    words = ["password", "token", "bearer", "apikey", "eyj", "detail"] if "a" in alphabet else ["4111111111"]
    for _ in range(20_000):
        text = chance.choice(words) + "".join(chance.choices(alphabet, k=chance.randrange(40)))
        # A space at the end makes the long way be taken.
        assert mask(f"{text} ") == f"{mask(text)} "
