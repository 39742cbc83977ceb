"""Where log records go: to the console and to the log's file."""

import logging
import sys
from typing import Any

from app.observability.logs.formatters import ConsoleFormatter, JsonFormatter
from app.observability.logs.writer import LogWriter
from app.observability.logs.writer import log as writer_log


def configure_logging(level: str, *, readable: bool, writer: LogWriter) -> None:
    """Send this process' log to standard error and, as JSON lines, to `writer`."""
    console = ConsoleHandler(sys.stderr)
    console.setFormatter(ConsoleFormatter() if readable else JsonFormatter())
    shop = logging.getLogger("app")
    shop.handlers[:] = [console, LogFileHandler(writer)]
    shop.setLevel(level)
    shop.propagate = False


class ConsoleHandler(logging.StreamHandler[Any]):
    """Writes to a stream, and ignores one that was closed: no request fails for it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass


class LogFileHandler(logging.Handler):
    """Hands JSON lines to a writer."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(JsonFormatter())
        # The writer's own warnings go to the console alone: in the file, they would come back to the writer.
        self.addFilter(lambda record: record.name != writer_log.name)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.write(self.format(record).encode() + b"\n")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a line, its request goes on
            self._writer.drop(type(error).__name__)
