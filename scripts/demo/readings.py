"""When somebody was measured: tests at the lab, visits, and meters read out on calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from outreach.calls.rules import Outcome
from outreach.measures.rules import MeasureKind, ReadingSource
from scripts.demo.labs import Labs
from scripts.demo.people import Person, chance
from scripts.demo.story import Dial, Story

_RECENTLY = timedelta(days=4)
_START_DAYS, _MIDDLE_DAYS, _END_DAYS = (-10, 0), (80, 100), (165, 195)


@dataclass(frozen=True)
class Measured:
    """One reading. ``dial`` is the call on which it was said, None for labs and visits."""

    kind: MeasureKind
    value: Decimal
    unit: str
    taken_at: datetime
    is_time_known: bool
    recorded_at: datetime
    source: ReadingSource
    dial: Dial | None = None


def of_labs(rng: Random, person: Person, labs: Labs, *, now: datetime) -> Iterator[Measured]:
    """Yield tests and visits at the start, after three months and after six."""
    at_start = _lab_day(rng, person, _START_DAYS, now=now)
    if at_start:
        yield _lab(person, at_start, MeasureKind.HBA1C, labs.start, "%")
        yield from _visit(person, at_start, labs, 0)
    in_between = _lab_day(rng, person, _MIDDLE_DAYS, now=now)
    if in_between and chance(rng, 0.88):
        yield _lab(person, in_between, MeasureKind.HBA1C, labs.middle, "%")
    at_end = _lab_day(rng, person, _END_DAYS, now=now)
    if at_end and labs.is_end_measured:
        yield _lab(person, at_end, MeasureKind.HBA1C, labs.end, "%")
        yield from _visit(person, at_end, labs, 1)


def of_calls(
    rng: Random, person: Person, story: Story, labs: Labs, *, now: datetime
) -> Iterator[Measured]:
    """Yield what the patient's own meter said, as read out on some calls.

    A few are low or high enough to worry; not among the latest, which are arranged apart.
    """
    if not person.has_meter:
        return
    for call in story.calls:
        for dial in call.dials:
            if dial.outcome is Outcome.COMPLETED and chance(rng, 0.36):
                yield _meter(rng, person, dial, labs, is_old=now - dial.at > _RECENTLY)


def read_out(dial: Dial, value: int) -> Measured:
    """Return a glucose value taken and told during a call."""
    return Measured(
        MeasureKind.GLUCOSE,
        Decimal(value),
        "mg/dL",
        dial.at,
        is_time_known=True,
        recorded_at=dial.over_at,
        source=ReadingSource.CALL,
        dial=dial,
    )


def _meter(rng: Random, person: Person, dial: Dial, labs: Labs, *, is_old: bool) -> Measured:
    if is_old and chance(rng, 0.022):
        return read_out(dial, rng.choice((58, 61, 64, 66, 67, 302, 305, 311, 318, 326)))
    level = labs.hba1c_after((person.local_day(dial.at) - person.starts_on).days)
    usual = 105 + (level - 6) * 21
    is_fasting = chance(rng, 0.65)
    value = round(rng.gauss(usual if is_fasting else usual + 22, 23))
    read = read_out(dial, min(292, max(76, value)))
    if not is_fasting:
        return read
    at = datetime.combine(
        person.local_day(dial.at), time(6 + rng.randrange(3), rng.randrange(60)), person.zone
    )
    return Measured(
        MeasureKind.GLUCOSE_FASTING,
        read.value,
        read.unit,
        at.astimezone(UTC),
        is_time_known=True,
        recorded_at=read.recorded_at,
        source=ReadingSource.CALL,
        dial=dial,
    )


def _visit(person: Person, at: datetime, labs: Labs, which: int) -> Iterator[Measured]:
    yield _lab(person, at, MeasureKind.PHQ9_TOTAL, labs.phq9[which], "{score}")
    if labs.pressure:
        high, low = labs.pressure[which]
        yield _lab(person, at, MeasureKind.SYSTOLIC, high, "mm[Hg]")
        yield _lab(person, at, MeasureKind.DIASTOLIC, low, "mm[Hg]")
    if labs.pounds:
        yield _lab(person, at, MeasureKind.WEIGHT, labs.pounds[which], "[lb_av]")


def _lab(person: Person, at: datetime, kind: MeasureKind, value: float, unit: str) -> Measured:
    """Return a value of a day whose hour nobody kept: local noon, known in the evening."""
    is_lab = kind is MeasureKind.HBA1C
    return Measured(
        kind,
        Decimal(str(value)),
        unit,
        at,
        is_time_known=False,
        recorded_at=at + timedelta(hours=6, minutes=person.number % 60),
        source=ReadingSource.CSV if is_lab else ReadingSource.STAFF,
    )


def _lab_day(
    rng: Random, person: Person, days: tuple[int, int], *, now: datetime
) -> datetime | None:
    """Return local noon of a weekday within ``days`` of the programme, before today."""
    first, last = days
    open_days = [
        day
        for ahead in range(first, last + 1)
        if (day := person.starts_on + timedelta(days=ahead)) < person.local_day(now)
        and day.weekday() < 5  # noqa: PLR2004 - Monday to Friday
    ]
    return _noon(rng.choice(open_days), person) if open_days else None


def _noon(day: date, person: Person) -> datetime:
    return datetime.combine(day, time(12), tzinfo=person.zone).astimezone(UTC)
