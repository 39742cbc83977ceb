"""Makes Python lack what Windows lacks: `PYTHONPATH=tests/support/without_unix python run.py`, or `... make test`.

Python imports this module at its start, and those of its children that get PYTHONPATH do so as well. The standard
library has its own copies of what it needs.
"""

import asyncio  # noqa: F401 - it and the others need what is taken away here
import multiprocessing
import os
import shutil  # noqa: F401
import signal
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401

for name in ("fcntl", "resource", "pwd", "grp"):
    sys.modules[name] = None  # type: ignore[assignment]
for name in ("nice", "pread", "killpg"):
    delattr(os, name)
del signal.SIGUSR1
multiprocessing.set_start_method("spawn")
