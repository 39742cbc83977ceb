from __future__ import annotations

import pytest

from scraper.__main__ import main


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--out", "no-such-folder/books.csv"),
        ("--out", "."),
        ("--out", "x.csv", "--concurrency", "0"),
        ("--out", "x.csv", "--base-url", "ftp://shop.test/"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_read(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        main(list(arguments))
    assert exited.value.code == 2
    assert "usage: python -m scraper" in capsys.readouterr().err
