"""What a schedule should have begun, reckoned without the shop's code, nor its library for cron expressions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

START = datetime(2016, 10, 1, tzinfo=UTC)
JITTER_S = 1_800
SEED = "of a shop that repeats its days"
Times = tuple[tuple[int, int], ...]
PLACES: dict[str, tuple[str, Times]] = {
    "America/Sao_Paulo": ("30 0,12,23 * * *", ((0, 30), (12, 30), (23, 30))),
    "Europe/Lisbon": ("30 1,13 * * *", ((1, 30), (13, 30))),
    "America/New_York": ("30 1,2,14 * * *", ((1, 30), (2, 30), (14, 30))),
}
"""Schedules by time zone, used in turn; some of their times don't exist on one day and come twice on another."""
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


class Reckoning:
    """What should run, as the replicas see the clock."""

    def __init__(self) -> None:
        self.begun: dict[datetime, datetime] = {}
        """By due time, the time that the clock showed when its run should have begun."""
        self._zone = ZoneInfo("UTC")
        self._times: Times = ((0, 0),)
        self._planned_at = START

    def set(self, zone: str, times: Times, now: datetime) -> None:
        self._zone, self._times, self._planned_at = ZoneInfo(zone), times, now

    def see(self, now: datetime) -> None:
        """Take note of what runs at `now`, which every replica has time to see."""
        self._planned_at = min(self._planned_at, now)
        due = self._next(self._planned_at)
        if due + self.delay(due) <= now:
            self.begun[due] = now
            self._planned_at = now

    def runs_at(self, now: datetime) -> bool:
        due = self._next(min(self._planned_at, now))
        return due + self.delay(due) <= now

    def _next(self, moment: datetime) -> datetime:
        return next(due for due in self._dues_after(moment) if due not in self.begun)

    def delay(self, due: datetime) -> timedelta:
        """Return the documented delay: drawn by the due time and the shop's seed, up to JITTER_S."""
        room = (next(self._dues_after(due)) - due).total_seconds() - 1
        drawn = random.Random(f"{SEED}:{due.isoformat()}").uniform(0, min(JITTER_S, room))
        return timedelta(seconds=drawn)

    def _dues_after(self, moment: datetime) -> Iterator[datetime]:
        day = moment.astimezone(self._zone).date() - _DAY
        while True:
            for hour, minute in self._times:
                due = self._first_at(datetime(day.year, day.month, day.day, hour, minute))  # noqa: DTZ001
                if due > moment:
                    yield due
            day += _DAY

    def _first_at(self, face: datetime) -> datetime:
        """Return the first minute in which the local clock shows `face` or later, in the hours around it."""
        offset = face.replace(tzinfo=self._zone).utcoffset() or timedelta()
        moment = (face - offset - timedelta(hours=2)).replace(tzinfo=UTC)
        while moment.astimezone(self._zone).replace(tzinfo=None) < face:
            moment += _MINUTE
        return moment
