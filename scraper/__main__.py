"""Read the whole shop into a CSV file: `python -m scraper --out books.csv`.

Exit status: 0 every book read; 1 some page failed, and the file has the others; 2 bad arguments; 3 the crawl
or the writing failed, and the file is unchanged; 130 interrupted, likewise.
"""

import argparse
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from scraper.book import ScrapedBook
from scraper.crawl import CrawlFinished, ListingRead, PageFailed, ProductRead, crawl
from scraper.csv_file import write_books
from scraper.errors import CrawlFailed
from scraper.options import CrawlOptions

BASE_URL = "https://books.toscrape.com/"
MAX_CONCURRENCY = 64
LINE_EVERY_PAGES = 100


@dataclass
class Result:
    """Results of a crawl so far."""

    books: dict[int, ScrapedBook] = field(default_factory=dict)
    """By position."""
    failed: list[PageFailed] = field(default_factory=list)
    finished: CrawlFinished | None = None

    @property
    def missing(self) -> int:
        """Count the books that the shop announces and then does not list."""
        return (
            max(0, self.finished.products_announced - self.finished.products_listed) if self.finished else 0
        )


class Progress:
    """Show progress: a bar on a terminal, a line now and then in a log."""

    def __init__(self) -> None:
        self._bar = tqdm(unit="pág", desc="Lendo", disable=not sys.stderr.isatty(), file=sys.stderr)
        self._done = 0
        self._total = 0

    def page_done(self, total: int | None = None) -> None:
        self._total = total or self._total
        self._done += 1
        self._bar.total = max(self._total, self._done)
        self._bar.update()
        if self._bar.disable and self._done % LINE_EVERY_PAGES == 0:
            write_line(f"{self._done} de {self._total} páginas lidas")

    def close(self) -> None:
        self._bar.close()


def write_line(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def read_shop(base_url: str, concurrency: int) -> Result:
    """Crawl the shop. Raises CrawlFailed; KeyboardInterrupt once the crawl's threads have ended."""
    result, progress = Result(), Progress()
    with closing(progress), closing(crawl(base_url, CrawlOptions(concurrency=concurrency))) as events:
        for event in events:
            match event:
                case ListingRead(pages_total=total):
                    progress.page_done(total)
                case ProductRead(position=position, book=book):
                    result.books[position] = book
                    progress.page_done()
                case PageFailed():
                    result.failed.append(event)
                    progress.page_done()
                case CrawlFinished():
                    result.finished = event
    return result


def report(result: Result, out: Path) -> None:
    for page in sorted(result.failed, key=lambda page: page.position):
        write_line(f"Não lida: {page.url}: {page.reason}")
    if result.missing:
        write_line(f"O site anuncia {result.missing} livro(s) que não lista; mudou durante a leitura?")
    write_line(f"{len(result.books)} livros gravados em {out}; {len(result.failed)} páginas falharam.")
    if result.failed or result.missing:
        write_line("O arquivo está incompleto: contém apenas o que foi lido.")
    if (finished := result.finished) is not None:
        rate = finished.requests / finished.elapsed_s if finished.elapsed_s else 0.0
        write_line(
            f"{finished.requests} requisições, {finished.retries} novas tentativas, "
            f"{finished.elapsed_s:.1f} s, {rate:.0f} páginas/s."
        )


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scraper", description="Lê todos os livros da loja para um arquivo CSV."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="ARQUIVO", help="arquivo CSV a gravar")
    parser.add_argument("--base-url", default=BASE_URL, metavar="URL", help="página inicial (%(default)s)")
    parser.add_argument("--concurrency", type=int, default=8, metavar="N", help="requisições simultâneas (8)")
    options = parser.parse_args(arguments)
    if not 1 <= options.concurrency <= MAX_CONCURRENCY:
        parser.error(f"--concurrency deve estar entre 1 e {MAX_CONCURRENCY}")
    if not options.base_url.startswith(("http://", "https://")):
        parser.error("--base-url deve começar com http:// ou https://")
    if options.out.is_dir() or not options.out.parent.is_dir():
        parser.error(f"--out: não há como gravar {options.out}")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    try:
        result = read_shop(options.base_url, options.concurrency)
        write_books(options.out, [book for _, book in sorted(result.books.items())])
    except KeyboardInterrupt:
        write_line("Interrompido; nada foi gravado.")
        return 130
    except (CrawlFailed, ValueError, OSError) as error:
        write_line(f"Falhou; nada foi gravado: {error}")
        return 3
    report(result, options.out)
    return 1 if result.failed or result.missing else 0


if __name__ == "__main__":
    sys.exit(main())
