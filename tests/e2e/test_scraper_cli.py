"""`python -m scraper`."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from scraper.csv_file import read_books
from tests.support.server import ROOT

BOOKS = make_books(30)


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "scraper", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={"PYTHONUTF8": "1"},
    )


def run(*arguments: object) -> tuple[int, str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=30)
    assert out == ""
    assert "Traceback" not in err
    return process.returncode, err


def test_it_writes_every_book_and_sums_up(tmp_path: Path) -> None:
    out = tmp_path / "books.csv"
    with DemoSite(BOOKS) as site:
        status, messages = run("--out", out, "--base-url", site.base_url)
    assert status == 0
    assert [book.upc for book in read_books(out)] == [book.upc for book in BOOKS]
    assert "30 livros gravados" in messages
    assert "33 requisições, 0 novas tentativas" in messages


def test_it_writes_what_it_could_read_and_names_what_it_could_not(tmp_path: Path) -> None:
    out, faults = tmp_path / "books.csv", Faults(malformed_rate=0.2)
    whole = [book for book in BOOKS if not faults.lacking(book)]
    with DemoSite(BOOKS, faults) as site:
        status, messages = run("--out", out, "--base-url", site.base_url)
    assert status == 1
    assert [book.upc for book in read_books(out)] == [book.upc for book in whole]
    assert messages.count("Não lida: http://") == len(BOOKS) - len(whole) > 0
    assert "incompleto" in messages


def test_a_failed_crawl_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "books.csv"
    out.write_text("old")
    with DemoSite(BOOKS, robots_txt="User-agent: *\nDisallow: /") as site:
        status, messages = run("--out", out, "--base-url", site.base_url)
    assert status == 3
    assert "nada foi gravado: listagem não lida" in messages
    assert out.read_text() == "old"


def test_ctrl_c_ends_it_at_once_with_nothing_written(tmp_path: Path) -> None:
    out = tmp_path / "books.csv"
    with DemoSite(make_books(150), Faults(latency_s=0.03)) as site:
        process = start("--out", out, "--base-url", site.base_url)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("100 de"):
                process.send_signal(signal.SIGINT)
                break
        _, messages = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "Interrompido; nada foi gravado." in messages
    assert "Traceback" not in messages
    assert list(tmp_path.iterdir()) == []
