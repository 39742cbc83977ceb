"""`python -m ml livros.json --out pasta`: train on what `GET /api/v1/ml/training-data` answers.

Writes `modelo.joblib` and `ficha.json` and says the verdict; exits 2 where the data can't be used.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path

from ml.artefact import CARD_NAME, MODEL_NAME, digest_of, dump, dump_card
from ml.features import check_training_rows

EXIT_BAD_DATA = 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ml", description="Treina um modelo e diz o que ele vale."
    )
    parser.add_argument("dados", type=Path, help="os dados de treino, em JSON")
    parser.add_argument("--out", type=Path, required=True, help="a pasta do modelo e de sua ficha")
    parser.add_argument("--child", action="store_true", help="ceder a vez a quem chamou e terminar com ele")
    options = parser.parse_args(arguments)
    if options.child:
        os.nice(10)
        threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    try:
        rows = check_training_rows(json.loads(options.dados.read_bytes()))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{options.dados}: {error}\n")
        return EXIT_BAD_DATA

    from ml.train import train  # scikit-learn takes a second to import: not for data that are no good

    trained = train(rows)
    left = {MODEL_NAME: dump(trained.estimators), CARD_NAME: dump_card(trained.card)}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in left.items():
        (options.out / name).write_bytes(content)
    digests = {name: digest_of(content) for name, content in left.items()}
    # By the pipe, which nobody else can write to, unlike the files.
    sys.stdout.write(json.dumps(digests) if options.child else f"{trained.card['frase']}\n")
    return 0


def _end_with_parent() -> None:
    """A parent that dies, however it does, lets go of the other end of this process' standard input."""
    while os.read(sys.stdin.fileno(), 1_024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
