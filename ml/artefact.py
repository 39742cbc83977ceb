"""Fitted estimators as a file, which is read only if it is the very file that was written.

Reading a joblib file runs whatever code it holds, so its bytes are compared with the digest recorded at training
before anything looks into them; and the bytes compared are the bytes read.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

FORMAT: Final = 1
"""Of what an artefact and its card hold; another one is trained anew rather than read."""
MODEL_NAME: Final = "modelo.joblib"
CARD_NAME: Final = "ficha.json"
"""What `python -m ml` leaves in its folder."""
CARD_KEYS: Final = frozenset(
    {
        "formato",
        "veredito",
        "frase",
        "acuracia",
        "acuracia_minima",
        "linha_de_base",
        "candidatos",
        "escolhidos",
        "avaliacao",
        "dados",
        "atributos",
        "categorias",
        "perfil",
        "bibliotecas",
    }
)
_COMPRESSION: Final = 3


class ArtefactRefused(Exception):
    """The file is not what was recorded; `reason` is a sentence for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def library_versions() -> dict[str, str]:
    """What an artefact depends on: scikit-learn promises nothing across its own versions."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python} | {name: version(name) for name in ("scikit-learn", "numpy", "scipy", "joblib")}


def dump(estimators: Mapping[str, Any]) -> bytes:
    """The joblib file of estimators by feature set; the same bytes for the same estimators."""
    import joblib

    buffer = io.BytesIO()
    joblib.dump(dict(estimators), buffer, compress=_COMPRESSION)
    return buffer.getvalue()


def dump_card(card: Mapping[str, Any]) -> bytes:
    """The card's JSON file."""
    return f"{json.dumps(card, ensure_ascii=False, indent=2)}\n".encode()


def digest_of(content: bytes) -> str:
    """SHA-256, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def load(content: bytes, digest: str, card: Mapping[str, Any]) -> dict[str, Any]:
    """The estimators in `content`, of which `digest` and `card` were recorded. Raises ArtefactRefused."""
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
