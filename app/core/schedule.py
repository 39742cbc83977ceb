"""When scrapes are due: a cron expression in a time zone, a delay, and what has begun already.

Every rule is a function of what is stored and of the time, so that all processes of a shop decide alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MAX_EXPRESSION_CHARS: Final = 100
MAX_ZONE_CHARS: Final = 60
MAX_JITTER_S: Final = 86_400
MAX_COUNTED: Final = 1_000
"""The most missed runs that are counted one by one: a clock that was years ahead would take minutes."""
MAX_ATTEMPTS: Final = 2
"""Runs that one due time may have: its own, and one more where the process of the first died."""
LATE: Final = timedelta(minutes=1)
"""The lateness from which a run counts as made up."""
_FIELDS: Final = {
    "Bad minute": "minuto",
    "Bad hour": "hora",
    "Bad day-of-month": "dia do mês",
    "Bad month": "mês",
    "Bad day-of-week": "dia da semana",
}
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression, read as Debian's cron reads it, in a time zone; both were parsed.

    A time of day that the clocks skip is due when they have skipped it, one that they show twice is due the first
    time; an expression whose minute or hour begins with `*` follows the hours as they pass.
    """

    expression: str
    zone: str

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the due times after `moment`, in UTC; ends where there is none within 50 years."""
        for local in CronSim(self.expression, moment.astimezone(ZoneInfo(self.zone))):
            due = local.astimezone(UTC)
            # The library starts from the face of the clock, which may show an hour for the second time.
            if due > moment:
                yield due


def parse_zone(name: str) -> str:
    """Return the name of a time zone that this machine knows. Raises ValueError with a sentence."""
    try:
        if not _ZONE.fullmatch(name):
            raise ValueError
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("não é um fuso conhecido, como America/Sao_Paulo ou UTC") from None
    return name


def parse_expression(expression: str) -> str:
    """Return a cron expression of five fields that comes due some day. Raises ValueError with a sentence."""
    if len(expression) > MAX_EXPRESSION_CHARS:
        raise ValueError(f"tem mais de {MAX_EXPRESSION_CHARS} caracteres")
    fields = expression.split()
    if len(fields) != 5 or not expression.isascii():
        raise ValueError(
            "deve ter cinco campos (minuto, hora, dia do mês, mês, dia da semana), como 0 3 * * *"
        )
    normal = " ".join(fields)
    try:
        next(CronSim(normal, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        if str(error) == "Bad day-of-month" and _is_valid(" ".join([*fields[:3], "*", fields[4]])):
            raise ValueError("nunca acontece: esses meses não têm esse dia") from None
        raise ValueError(f"tem um campo inválido: {_FIELDS.get(str(error), 'o primeiro')}") from None
    except StopIteration:
        raise ValueError("nunca acontece") from None
    return normal


def _is_valid(expression: str) -> bool:
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """What is set: when scrapes are due, if ever, the longest delay, and whether they run or are paused."""

    cron: Cron | None = None
    jitter_s: int = 0
    active: bool = True

    def with_expression(self, expression: str | None) -> ScheduleSettings:
        """Return the same with another expression, or without any, in the present zone."""
        zone = "UTC" if self.cron is None else self.cron.zone
        return replace(self, cron=None if expression is None else Cron(expression, zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The shop's schedule. `planned_at` is the time at which the next run was chosen.

    That run is due at `due_at`, and begins at `starts_at` or later; both are None where no run is to come. `seed` is
    the shop's own, from which the delays are drawn.
    """

    settings: ScheduleSettings
    by_operator: bool
    seed: str
    planned_at: datetime | None = None
    due_at: datetime | None = None
    starts_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.starts_at is not None and now >= self.starts_at

    def clock_went_back(self, now: datetime) -> bool:
        """Return whether it is earlier than when the next run was chosen."""
        return self.planned_at is not None and now < self.planned_at

    def missed(self, now: datetime) -> int:
        """Return how many more runs came due up to `now`, which one run makes up; at most MAX_COUNTED."""
        if self.settings.cron is None or self.due_at is None:
            return 0
        further = islice(self.settings.cron.after(self.due_at), MAX_COUNTED)
        return sum(1 for _ in _until(further, now))


def plan(schedule: Schedule, now: datetime, begun: Collection[datetime] = ()) -> Schedule:
    """Return the schedule with its next run: the first due time after `now` for which no run has `begun`."""
    due = None
    if schedule.settings.cron is not None and schedule.settings.active:
        due = next((due for due in schedule.settings.cron.after(now) if due not in begun), None)
    starts_at = None if due is None else due + _delay(schedule, due)
    return replace(schedule, planned_at=now, due_at=due, starts_at=starts_at)


def _delay(schedule: Schedule, due: datetime) -> timedelta:
    """Return the delay of one due time, the same whenever it is drawn, and short of the next due time."""
    cron, jitter_s = schedule.settings.cron, float(schedule.settings.jitter_s)
    following = next(cron.after(due), None) if cron is not None and jitter_s else None
    if following is not None:
        jitter_s = min(jitter_s, (following - due).total_seconds() - 1)
    return timedelta(seconds=random.Random(f"{schedule.seed}:{due.isoformat()}").uniform(0, jitter_s))


def _until(times: Iterator[datetime], now: datetime) -> Iterator[datetime]:
    for time in times:
        if time > now:
            return
        yield time
