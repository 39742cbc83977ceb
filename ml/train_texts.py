"""Training on texts: books that are alike, categories for those without one, and their part of the card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from ml.categories import learn
from ml.likeness import assess, find_neighbours
from ml.text_card import categories_card, likeness_card
from ml.text_model import Neighbours, dump
from ml.texts import BadTexts, Texts, read_texts
from ml.verdict import Verdict

__all__ = ["BadTexts", "TrainedTexts", "train_on", "train_texts"]


@dataclass(frozen=True, slots=True)
class TrainedTexts:
    """The file of a `TextModel`, and what the card says of it."""

    content: bytes
    card: dict[str, Any]


def train_texts(path: Path) -> TrainedTexts:
    """Train on a file of texts; the same file gives the same bytes. Raises OSError or BadTexts."""
    return train_on(read_texts(path))


def train_on(texts: Texts) -> TrainedTexts:
    """Train on `texts`. Without a signal, no book is like another, and no category is proposed."""
    with threadpool_limits(1):
        neighbours = find_neighbours(texts)
        likeness = assess(texts, neighbours)
        categories = learn(texts)
    verdict = Verdict.BEATS_BASELINE if likeness.promoted else Verdict.BASELINE
    served = neighbours if likeness.promoted else Neighbours.none()
    content = dump(verdict, texts.ids, served, texts.words, categories.suggestions)
    card = {
        "semelhanca": likeness_card(likeness, len(texts.words)),
        "categorias_sugeridas": categories_card(categories),
    }
    return TrainedTexts(content, card)
