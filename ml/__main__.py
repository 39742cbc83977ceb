"""Train on a response of `GET /api/v1/ml/training-data`: `python -m ml livros.json --out pasta`.

Writes `modelo.joblib` and `ficha.json` and prints the verdict; exits with 2 if the data are unusable. With `--textos`,
titles and descriptions in a file of a JSON object a line, it also writes `textos.npz`: books that are alike and
categories for those without one.
"""

import argparse
import json
import os
import sys
import threading
from pathlib import Path

from ml.artefact import CARD_NAME, MODEL_NAME, digest_of, dump, dump_card
from ml.features import check_training_rows
from ml.text_model import TEXTS_NAME
from operating_system import lower_priority

EXIT_BAD_DATA = 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ml", description="Treina um modelo e diz o que ele vale."
    )
    parser.add_argument("dados", type=Path, help="os dados de treino, em JSON")
    parser.add_argument("--out", type=Path, required=True, help="a pasta do modelo e de sua ficha")
    parser.add_argument("--textos", type=Path, help="os textos dos livros, um objeto JSON por linha")
    parser.add_argument("--child", action="store_true", help="ceder a vez a quem chamou e terminar com ele")
    options = parser.parse_args(arguments)
    if options.child:
        lower_priority(10)
        threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    try:
        rows = check_training_rows(json.loads(options.dados.read_bytes()))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{options.dados}: {error}\n")
        return EXIT_BAD_DATA

    from ml.train import train  # after the check: scikit-learn takes a second to import

    files, card = {}, {}
    if options.textos is not None:
        from ml.train_texts import BadTexts, train_texts

        try:
            texts = train_texts(options.textos)
        except (OSError, BadTexts) as error:
            sys.stderr.write(f"{options.textos}: {error}\n")
            return EXIT_BAD_DATA
        files[TEXTS_NAME], card = texts.content, texts.card
    trained = train(rows)
    files |= {MODEL_NAME: dump(trained.estimators), CARD_NAME: dump_card({**trained.card, **card})}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (options.out / name).write_bytes(content)
    digests = {name: digest_of(content) for name, content in files.items()}
    # By the pipe: other processes could write to the files, but not to it.
    sentences = [trained.card["frase"], *(part["frase"] for part in card.values())]
    sys.stdout.write(json.dumps(digests) if options.child else "\n".join([*sentences, ""]))
    return 0


def _end_with_parent() -> None:
    """Exit when standard input closes, as it does whenever the parent ends."""
    while os.read(sys.stdin.fileno(), 1_024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
