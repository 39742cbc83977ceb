import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from scraper.__main__ import main
from scraper.csv_file import read_books

ROOT = Path(__file__).parents[2]
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


def test_it_writes_every_book_and_sums_up(tmp_path):
    out = tmp_path / "books.csv"
    with DemoSite(BOOKS) as site:
        status, said = run("--out", out, "--base-url", site.base_url)
    assert status == 0
    assert [book.upc for book in read_books(out)] == [book.upc for book in BOOKS]
    assert "30 livros gravados" in said
    assert "33 requisições, 0 novas tentativas" in said


def test_it_writes_what_it_could_read_and_names_what_it_could_not(tmp_path):
    out, faults = tmp_path / "books.csv", Faults(malformed_rate=0.2)
    whole = [book for book in BOOKS if not faults.lacking(book)]
    with DemoSite(BOOKS, faults) as site:
        status, said = run("--out", out, "--base-url", site.base_url)
    assert status == 1
    assert [book.upc for book in read_books(out)] == [book.upc for book in whole]
    assert said.count("Não lida: http://") == len(BOOKS) - len(whole) > 0
    assert "incompleto" in said


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
def test_bad_arguments_are_refused_before_anything_is_read(arguments, capsys):
    with pytest.raises(SystemExit) as exited:
        main(list(arguments))
    assert exited.value.code == 2
    assert "usage: python -m scraper" in capsys.readouterr().err


def test_a_failed_crawl_writes_nothing(tmp_path):
    out = tmp_path / "books.csv"
    out.write_text("old")
    with DemoSite(BOOKS, robots_txt="User-agent: *\nDisallow: /") as site:
        status, said = run("--out", out, "--base-url", site.base_url)
    assert status == 3
    assert "nada foi gravado: listagem não lida" in said
    assert out.read_text() == "old"


def test_ctrl_c_ends_it_at_once_with_nothing_written(tmp_path):
    out = tmp_path / "books.csv"
    with DemoSite(make_books(150), Faults(latency_s=0.03)) as site:
        process = start("--out", out, "--base-url", site.base_url)
        for line in process.stderr:
            if line.startswith("100 de"):
                process.send_signal(signal.SIGINT)
                break
        _, said = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "Interrompido; nada foi gravado." in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
