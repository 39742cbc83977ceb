"""The worth of a prediction, in a word for a response header."""

from enum import StrEnum
from typing import Final

VERDICT_HEADERS: Final = ("X-Model-Version", "X-Model-Verdict")


class Verdict(StrEnum):
    """With the last two there is no usable model: predictions are the commonest rating of the catalogue."""

    BEATS_BASELINE = "supera-a-linha-de-base"
    BASELINE = "linha-de-base"
    UNTRAINED = "sem-modelo"
    REFUSED = "artefato-recusado"
