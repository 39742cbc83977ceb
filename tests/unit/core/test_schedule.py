"""The rules of the schedule: when runs are due, whatever the clock and the processes do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from app.core.schedule import (
    MAX_COUNTED,
    Cron,
    Schedule,
    ScheduleSettings,
    parse_expression,
    parse_zone,
    plan,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAILY = Cron("0 3 * * *", "UTC")


def schedule_of(cron: Cron, jitter_s: int = 0, seed: str = "s") -> Schedule:
    settings = ScheduleSettings(cron=cron, jitter_s=jitter_s)
    return Schedule(settings=settings, by_operator=False, seed=seed)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    ("zone", "expression", "after", "due"),
    [
        # São Paulo skipped midnight to 1 in spring, and showed 23 to midnight twice in autumn, until 2019.
        ("America/Sao_Paulo", "30 0 * * *", "2018-11-03T12:00", ["2018-11-04T03:00", "2018-11-05T02:30"]),
        ("America/Sao_Paulo", "30 23 * * *", "2019-02-16T12:00", ["2019-02-17T01:30", "2019-02-18T02:30"]),
        ("America/Sao_Paulo", "30 0 * * *", "2019-11-02T12:00", ["2019-11-03T03:30", "2019-11-04T03:30"]),
        ("America/Sao_Paulo", "0 * * * *", "2019-02-17T00:30", ["2019-02-17T01:00", "2019-02-17T02:00"]),
        # Portugal was in step with Berlin from 1992 to 1996.
        ("Europe/Lisbon", "0 3 * * *", "1992-09-26T12:00", ["1992-09-27T02:00", "1992-09-28T02:00"]),
        ("Europe/Lisbon", "0 3 * * *", "1996-10-26T12:00", ["1996-10-27T03:00", "1996-10-28T03:00"]),
        ("Europe/Lisbon", "30 1 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("Europe/Lisbon", "30 1 * * *", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("Europe/Lisbon", "30 1 * * *", "2026-10-25T00:45", ["2026-10-26T01:30", "2026-10-27T01:30"]),
        ("America/New_York", "30 2 * * *", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:30"]),
        ("America/New_York", "0 2,3 * * *", "2026-03-08T05:00", ["2026-03-08T07:00", "2026-03-09T06:00"]),
        ("America/New_York", "30 1 * * *", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("America/New_York", "30 1 * * *", "2026-11-01T06:10", ["2026-11-02T06:30", "2026-11-03T06:30"]),
        ("America/New_York", "*/30 1 * * *", "2026-11-01T04:59", ["2026-11-01T05:00", "2026-11-01T05:30"]),
        ("America/New_York", "30 * * * *", "2026-11-01T05:00", ["2026-11-01T05:30", "2026-11-01T06:30"]),
        ("UTC", "0 0 29 2 *", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("UTC", "0 0 * * MON-FRI", "2026-11-27T12:00", ["2026-11-30T00:00", "2026-12-01T00:00"]),
    ],
)
def test_a_time_that_does_not_exist_is_due_after_the_gap_and_one_that_comes_twice_is_due_once(
    zone: str, expression: str, after: str, due: list[str]
) -> None:
    cron = Cron(expression, zone)
    assert list(islice(cron.after(at(after)), len(due))) == [at(text) for text in due]


@given(
    cron=st.builds(
        Cron,
        st.sampled_from(["30 0,23 * * *", "0,30 1,2,3 * * *", "*/20 * * * *", "15 */2 * * *", "5 4 * * SUN"]),
        st.sampled_from(["America/Sao_Paulo", "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe"]),
    ),
    start=st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    skipped=st.integers(0, 10),
)
def test_the_due_times_are_the_same_from_wherever_they_are_counted(
    cron: Cron, start: datetime, skipped: int
) -> None:
    due = list(islice(cron.after(start), 12))
    assert due == sorted(set(due))
    assert all(time > start for time in due)
    assert list(islice(cron.after(due[skipped]), 11 - skipped)) == due[skipped + 1 :]
    between = due[skipped] + (due[skipped + 1] - due[skipped]) / 2
    assert next(cron.after(between)) == due[skipped + 1]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("60 3 * * *", "tem um campo inválido: minuto"),
        ("0 24 * * *", "tem um campo inválido: hora"),
        ("0 3 32 * *", "tem um campo inválido: dia do mês"),
        ("0 3 0 * *", "tem um campo inválido: dia do mês"),
        ("0 3 * 13 *", "tem um campo inválido: mês"),
        ("0 3 * FOO *", "tem um campo inválido: mês"),
        ("0 3 * * 8", "tem um campo inválido: dia da semana"),
        ("*/0 3 * * *", "tem um campo inválido: minuto"),
        ("0 3 30 2 *", "nunca acontece: esses meses não têm esse dia"),
        ("0 3 31 4,6,9,11 *", "nunca acontece: esses meses não têm esse dia"),
        ("", "deve ter cinco campos"),
        ("0 3 * *", "deve ter cinco campos"),
        ("0 0 3 * * *", "deve ter cinco campos"),
        ("@daily", "deve ter cinco campos"),
        ("٣ 3 * * *", "deve ter cinco campos"),
    ],
)
def test_the_field_that_is_wrong_is_named(expression: str, message: str) -> None:
    with pytest.raises(ValueError) as failure:
        parse_expression(expression)
    assert str(failure.value).startswith(message)


@given(
    st.text(max_size=120) | st.from_regex(r"([0-9*/,LW#A-C-]{1,6} ){4}[0-9*/,LW#A-C-]{1,6}", fullmatch=True)
)
@example("0 0 L/2 * *")
@example("0 0 * * 1#2/3")
def test_any_text_is_a_schedule_that_comes_due_or_is_refused(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ValueError:
        return
    assert next(Cron(expression, "UTC").after(NOON)) > NOON


@pytest.mark.parametrize(
    "name",
    ["", "America", "america/sao paulo", "../etc/passwd", "/etc/localtime", "X/Y", "zone.tab", "a" * 200],
)
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="não é um fuso conhecido"):
        parse_zone(name)


def test_delays_are_uniform_and_the_same_whenever_they_are_drawn() -> None:
    hourly = schedule_of(Cron("0 * * * *", "UTC"), jitter_s=1_800)
    delays = []
    for hours in range(2_000):
        now = NOON + timedelta(hours=hours, minutes=10)
        planned = plan(hourly, now)
        assert planned == replace(plan(hourly, now + timedelta(minutes=5)), planned_at=now)
        assert planned.due_at is not None
        assert planned.starts_at is not None
        delays.append((planned.starts_at - planned.due_at).total_seconds() / 1_800)
    assert stats.kstest(delays, "uniform").pvalue > 0.01


def test_another_shop_draws_other_delays() -> None:
    starts = {plan(schedule_of(DAILY, 3_600, seed), NOON).starts_at for seed in ("a", "b", "c")}
    assert len(starts) == 3


@given(minutes=st.integers(1, 30), jitter_s=st.integers(0, 86_400), offset_s=st.integers(0, 86_400))
def test_a_delay_never_reaches_the_next_due_time(minutes: int, jitter_s: int, offset_s: int) -> None:
    cron = Cron(f"*/{minutes} * * * *", "UTC")
    planned = plan(schedule_of(cron, jitter_s), NOON + timedelta(seconds=offset_s))
    assert planned.due_at is not None
    assert planned.starts_at is not None
    assert planned.due_at <= planned.starts_at < next(cron.after(planned.due_at))
    assert planned.starts_at - planned.due_at <= timedelta(seconds=jitter_s)


def test_nothing_is_planned_without_a_schedule_or_while_it_is_paused() -> None:
    none = Schedule(settings=ScheduleSettings(), by_operator=False, seed="s")
    paused = replace(none, settings=ScheduleSettings(cron=DAILY, active=False))
    for schedule in (none, paused):
        planned = plan(schedule, NOON)
        assert (planned.due_at, planned.starts_at, planned.planned_at) == (None, None, NOON)
        assert not planned.is_due(NOON + timedelta(days=400))


def test_missed_runs_are_counted_up_to_a_bound() -> None:
    planned = plan(schedule_of(DAILY), NOON)
    assert planned.missed(NOON + timedelta(hours=20)) == 0
    assert planned.missed(NOON + timedelta(days=4)) == 3
    assert planned.missed(NOON + timedelta(days=40_000)) == MAX_COUNTED


class ShopOfRules:
    """A shop that decides as the service does, with lists for tables; a crash loses what was not stored."""

    def __init__(self, cron: Cron, jitter_s: int, now: datetime) -> None:
        self.stored = plan(schedule_of(cron, jitter_s), now)
        self.begun: list[tuple[datetime, datetime]] = []

    def look(self, now: datetime, *, dies: bool) -> None:
        schedule = self.stored
        if schedule.clock_went_back(now):
            planned = plan(schedule, now, [due for due, _ in self.begun])
        elif schedule.is_due(now) and schedule.due_at is not None:
            planned = plan(schedule, now, [*(due for due, _ in self.begun), schedule.due_at])
        else:
            return
        if dies:
            return  # before the commit, which stores both or neither
        if schedule.is_due(now) and schedule.due_at is not None and not schedule.clock_went_back(now):
            self.begun.append((schedule.due_at, now))
        self.stored = planned


STEPS = st.lists(
    st.tuples(
        st.one_of(
            st.floats(0, 7_200),
            st.floats(-200_000, 0),
            st.floats(0, 400_000),
            st.sampled_from([3e8, -3e8]),
        ),
        st.booleans(),
    ),
    max_size=25,
)


@given(
    steps=STEPS,
    jitter_s=st.sampled_from([0, 600, 86_400]),
    cron=st.sampled_from(
        [DAILY, Cron("*/40 * * * *", "UTC"), Cron("30 0,1,2,23 * * *", "America/Sao_Paulo")]
    ),
)
def test_no_due_time_begins_twice_nor_early_in_any_order_of_looks_jumps_and_crashes(
    steps: list[tuple[float, bool]], jitter_s: int, cron: Cron
) -> None:
    now = datetime(2018, 11, 3, 12, tzinfo=UTC)
    shop = ShopOfRules(cron, jitter_s, now)
    for seconds, dies in steps:
        now = min(max(now + timedelta(seconds=seconds), datetime(1990, 1, 1, tzinfo=UTC)), NOON)
        for _ in range(2):  # replicas
            shop.look(now, dies=dies)
        # Wherever the clock was, a run is never farther away than the next due times that have not begun.
        shop.look(now, dies=False)
        shop.look(now, dies=False)
        fresh = (due for due in cron.after(now) if due not in dict(shop.begun))
        assert shop.stored.due_at is not None
        assert shop.stored.due_at <= next(fresh)
    dues = [due for due, _ in shop.begun]
    assert len(dues) == len(set(dues))
    assert all(began >= due for due, began in shop.begun)


@given(hours=st.lists(st.floats(0.01, 30), min_size=1, max_size=25))
def test_while_the_clock_only_goes_on_every_due_time_begins_or_is_made_up_by_one(hours: list[float]) -> None:
    now = NOON
    shop = ShopOfRules(DAILY, 600, now)
    for step in hours:
        now += timedelta(hours=step)
        before = len(shop.begun)
        for _ in range(3):
            shop.look(now, dies=False)
        assert len(shop.begun) - before <= 1
    began = [at for _, at in shop.begun]
    for due in DAILY.after(NOON):
        if due + timedelta(seconds=600) > now:
            break
        assert any(due <= at for at in began)
