"""What is to be thought of a prediction, in a word that travels in a header."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """The last two are answered with the commonest rating of the catalogue, for want of a usable model."""

    BEATS_BASELINE = "supera-a-linha-de-base"
    BASELINE = "linha-de-base"
    UNTRAINED = "sem-modelo"
    REFUSED = "artefato-recusado"
