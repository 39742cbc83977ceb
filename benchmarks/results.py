"""Measured pairs against their targets."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A bound of the median, from above where `at_most` is true and else from below."""

    bound: float
    at_most: bool = False

    def holds(self, median: float) -> bool:
        return median <= self.bound if self.at_most else median >= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of work took, in `unit`, in turns with a peer.

    The measured value is the ratio of each pair; the shop's own where `theirs` is empty.
    """

    work: str
    against: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()
    target: Target | None = None

    def __post_init__(self) -> None:
        """Raises ValueError where the other side measured nothing."""
        if 0 in self.theirs:
            raise ValueError(f"{self.work}: {self.against} measured nothing")

    @property
    def values(self) -> tuple[float, ...]:
        if not self.theirs:
            return self.ours
        return tuple(one / other for one, other in zip(self.ours, self.theirs, strict=True))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool | None:
        """Whether the median reaches the target; None where there is none."""
        return self.target.holds(self.median) if self.target else None
