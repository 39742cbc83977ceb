"""A shop that restarts at once when it is killed, as a phoenix does.

`python -m tests.support.phoenix <data> <port>` imports the application and then only forks: each child serves,
writes its process id to standard output when it listens, and is replaced when it was killed. The real server needs
seconds to start, nearly all of them for imports; this needs a fifth of one.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from pathlib import Path

from werkzeug.serving import make_server

from app.factory import create_app
from app.settings import read_settings
from app.shop import Shop
from app.start import prepare
from tests.support.shop import SECRET


def serve(data_dir: Path, port: int) -> None:
    environment = {**os.environ, "DATA_DIR": str(data_dir), "JWT_SECRET_KEY": SECRET}
    app = create_app(read_settings(environment))
    prepare(app)
    shop: Shop = app.extensions["shop"]
    shop.order_tasks.start()
    shop.audit_tasks.start()
    server = make_server("127.0.0.1", port, app, threaded=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    server.serve_forever()


def main(data_dir: Path, port: int) -> None:
    gc.freeze()
    status = signal.SIGKILL
    while status == signal.SIGKILL:
        child = os.fork()
        if child == 0:
            try:
                serve(data_dir, port)
            finally:
                os._exit(1)
        _, waited = os.waitpid(child, 0)
        status = signal.Signals(os.WTERMSIG(waited)) if os.WIFSIGNALED(waited) else signal.SIGTERM


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
