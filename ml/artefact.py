"""Fitted estimators as a file, which is loaded only if it is the file that was written.

Loading a joblib file runs the code in it, so its bytes are first compared with the digest recorded at training;
and the bytes compared are the bytes loaded.
"""

import hashlib
import io
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

FORMAT: Final = 1
"""Version of the contents of an artefact and its card; other versions are trained anew rather than read."""
MODEL_NAME: Final = "modelo.joblib"
CARD_NAME: Final = "ficha.json"
"""The two files that `python -m ml` writes."""
CARD_KEYS: Final = frozenset(
    {"formato", "veredito", "frase", "acuracia", "acuracia_minima", "linha_de_base", "candidatos",
     "escolhidos", "avaliacao", "dados", "atributos", "categorias", "perfil", "bibliotecas"}
)  # fmt: skip
_COMPRESSION: Final = 3


class ArtefactRefused(Exception):
    """The file is not the recorded one, or unusable here; `reason` is a sentence for users."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def library_versions() -> dict[str, str]:
    """Return the versions that an artefact depends on: scikit-learn promises nothing across its own."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python} | {name: version(name) for name in ("scikit-learn", "numpy", "scipy", "joblib")}


def dump(estimators: Mapping[str, Any]) -> bytes:
    """Serialise estimators by feature set with joblib; the same estimators give the same bytes."""
    import joblib

    buffer = io.BytesIO()
    joblib.dump(dict(estimators), buffer, compress=_COMPRESSION)
    return buffer.getvalue()


def dump_card(card: Mapping[str, Any]) -> bytes:
    """Serialise the card as JSON."""
    return f"{json.dumps(card, ensure_ascii=False, indent=2)}\n".encode()


def digest_of(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def load(content: bytes, digest: str, card: Mapping[str, Any]) -> dict[str, Any]:
    """Load the estimators in `content`, with the recorded `digest` and `card`. Raises ArtefactRefused."""
    if digest_of(content) != digest:
        raise ArtefactRefused("O arquivo do modelo não é o que o treino gravou: seu SHA-256 é outro.")
    if not isinstance(card, Mapping) or not card.keys() >= CARD_KEYS:
        raise ArtefactRefused("A ficha do modelo está incompleta.")
    if card["formato"] != FORMAT:
        raise ArtefactRefused("O modelo foi treinado por outra versão da loja.")
    libraries, ours = card["bibliotecas"], library_versions()
    if libraries != ours:
        others = sorted(name for name in {*libraries, *ours} if libraries.get(name) != ours.get(name))
        raise ArtefactRefused(f"O modelo foi treinado com outras versões de {', '.join(others)}.")
    if not any(card["escolhidos"].values()):
        return {}
    import joblib

    estimators: dict[str, Any] = joblib.load(io.BytesIO(content))
    return estimators
