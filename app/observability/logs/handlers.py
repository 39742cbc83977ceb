"""Where log records go: to the console and to the log's file."""

import logging
import sys
from collections.abc import Callable
from typing import Any, TextIO

from app.observability.logs.formatters import ConsoleFormatter, JsonFormatter
from app.observability.logs.writer import LogWriter
from app.observability.logs.writer import log as writer_log

SHOP_LOG = logging.getLogger("app")


def configure_logging(level: str, *, readable: bool, writer: LogWriter) -> None:
    """Send this process' log to standard error and, as JSON lines, to `writer`."""
    console = ConsoleHandler(sys.stderr) if readable else JsonConsoleHandler(sys.stderr)
    SHOP_LOG.handlers[:] = [console, LogFileHandler(writer)]
    SHOP_LOG.setLevel(level)
    SHOP_LOG.propagate = False


def line_writers(log: logging.Logger) -> list[Callable[[bytes], None]] | None:
    """Return what writes ready lines to all outputs of `log`; None where one of them asks for records."""
    if log.propagate:
        return None
    writers = []
    for handler in log.handlers:
        write = getattr(handler, "write_line", None)
        if write is None:
            return None
        writers.append(write)
    return writers


class ConsoleHandler(logging.StreamHandler[Any]):
    """Writes to a stream, and ignores one that was closed: no request fails for it."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter | None = None) -> None:
        super().__init__(stream)
        self.setFormatter(formatter or ConsoleFormatter())

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass


class JsonConsoleHandler(ConsoleHandler):
    """Writes JSON lines to a stream."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream, JsonFormatter())
        # Where there is one, the file below the text and its buffer, which are flushed at the end of each line.
        self._file = getattr(getattr(stream, "buffer", None), "raw", None)

    def write_line(self, line: bytes) -> None:
        try:
            if self._file is None:
                self.stream.write(line.decode())
            else:
                self._file.write(line)
        except (OSError, ValueError):  # full or closed, as above
            pass


class LogFileHandler(logging.Handler):
    """Hands JSON lines to a writer."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self.write_line = writer.write
        self._writer = writer
        self.setFormatter(JsonFormatter())
        # The writer's own warnings go to the console alone: in the file, they would come back to the writer.
        self.addFilter(lambda record: record.name != writer_log.name)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.write(self.format(record).encode() + b"\n")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a line, its request goes on
            self._writer.drop(type(error).__name__)
