"""Collectors: figures that are read when Prometheus asks, rather than kept up to date."""

import logging
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client import multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.core.shop_state import ShopState
from app.processes import has_ended
from app.storage.faults import log_failure
from app.version import API_VERSION
from operating_system import open_files_limit

log = logging.getLogger(__name__)

_ATTEMPTS = 5


class StateCollector(Collector):
    """Reads the shop's state, so that no gauge has to be kept up to date."""

    def __init__(self, read_state: Callable[[], ShopState]) -> None:
        self._read_state = read_state

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("livraria_build_info", "A versão em serviço", labels=["version", "python"])
        build.add_metric([API_VERSION, platform.python_version()], 1)
        yield build
        try:
            state = self._read_state()
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the other figures are shown
            log_failure(log, "state_not_read", error)
        else:
            yield from _families(state)


def _families(state: ShopState) -> Iterator[Metric]:
    for name, meaning, value in (
        ("livraria_catalogue_version", "Versão do catálogo publicado", state.catalogue_version),
        ("livraria_catalogue_books", "Livros à venda", state.books),
        ("livraria_catalogue_published_timestamp_seconds", "Quando foi publicado", state.published_at),
        ("livraria_stock_units", "Exemplares à venda", state.stock_units),
        ("livraria_low_stock_books", "Livros com poucos exemplares", state.low_stock_books),
        ("livraria_out_of_stock_books", "Livros sem exemplares", state.out_of_stock_books),
        ("livraria_scrape_running", "1 durante um scraping", state.scrape_running),
        ("livraria_scrape_duration_seconds", "Duração do último scraping", state.last_scrape_seconds),
        (
            "livraria_scrape_last_success_timestamp_seconds",
            "Quando um scraping terminou bem pela última vez",
            state.last_scrape_success_at,
        ),
        (
            "livraria_schedule_next_run_timestamp_seconds",
            "Quando começa, ou devia ter começado, o próximo scraping agendado",
            state.next_scheduled_scrape_at,
        ),
        (
            "livraria_schedule_last_run_timestamp_seconds",
            "Quando a agenda iniciou um scraping pela última vez",
            state.last_scheduled_scrape_at,
        ),
        ("livraria_model_version", "Versão do modelo em uso", state.model_version),
        ("livraria_model_accuracy", "Acurácia do modelo em uso, ao ser treinado", state.model_accuracy),
        (
            "livraria_model_baseline_accuracy",
            "Acurácia de responder sempre a avaliação mais comum do catálogo",
            state.baseline_accuracy,
        ),
        ("livraria_model_trained_timestamp_seconds", "Quando foi treinado", state.model_trained_at),
        ("livraria_training_running", "1 durante um treino", state.training_running),
    ):
        yield GaugeMetricFamily(name, meaning, value=float(value))
    orders = GaugeMetricFamily("livraria_orders", "Pedidos em cada estado", labels=["status"])
    for status, count in state.orders_by_status.items():
        orders.add_metric([status], count)
    yield orders
    inventory = GaugeMetricFamily(
        "ecommerce_inventory_level_gauge",
        "Estoque dos livros vendidos por último e dos mais escassos",
        labels=["product_id"],
    )
    for book_id, stock in state.inventory.items():
        inventory.add_metric([str(book_id)], stock)
    yield inventory


class ProcessesCollector(Collector):
    """Sums what a supervisor and its workers use; yields nothing where there is no /proc.

    The CPU time of a process that has ended counts with its parent's, which waited for it, so that the sum never
    falls.
    """

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor

    def collect(self) -> Iterator[Metric]:
        usages = self._usages()
        if usages and hasattr(os, "sysconf"):
            ticks, pages, open_fds = map(sum, zip(*usages, strict=True))
            seconds, resident = ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")
            yield CounterMetricFamily("process_cpu_seconds", "Segundos de CPU", value=seconds)
            yield GaugeMetricFamily("process_resident_memory_bytes", "Memória residente", value=resident)
            yield GaugeMetricFamily("process_open_fds", "Descritores abertos", value=open_fds)
            limit = open_files_limit()
            if limit is not None:
                max_fds = limit * len(usages)
                yield GaugeMetricFamily("process_max_fds", "Descritores permitidos", value=max_fds)

    def _usages(self) -> list[tuple[int, int, int]]:
        """Return each process' usage; read again where one came or went, and could count twice or not at all."""
        for _ in range(_ATTEMPTS):
            with suppress(OSError):
                pids = self._pids()
                usages = [_usage(pid) for pid in pids]
                if pids == self._pids():
                    return usages
        return []

    def _pids(self) -> list[int]:
        threads = Path(f"/proc/{self._supervisor}/task").iterdir()
        children = sorted(int(pid) for thread in threads for pid in (thread / "children").read_text().split())
        return [self._supervisor, *children]


def _usage(pid: int) -> tuple[int, int, int]:
    """Return ticks of CPU, with those of the ended processes that it waited for; resident pages; open files."""
    # Counted from after the name, which is in parentheses and may hold spaces: see proc_pid_stat(5).
    figures = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, figures[11:15])), int(figures[21]), sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def forget_dead_processes(folder: Path) -> None:
    """Remove the gauges of workers that have ended from the sums; their counters stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if has_ended(pid):
            with suppress(FileNotFoundError):  # another worker was faster
                multiprocess.mark_process_dead(pid, str(folder))
