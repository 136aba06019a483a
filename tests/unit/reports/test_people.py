"""Columns of patients say what a look at each of them says."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from outreach.reports.rules.columns import MEASURES, Places, placed
from outreach.reports.rules.outcomes import (
    Followed,
    OutcomeMeasure,
    Point,
    Taken,
    Talk,
    measured_throughout,
    outcome_of,
    together,
)
from outreach.reports.rules.people import People, Said

START = date(2026, 1, 5)
LONG_AFTER = date(2027, 1, 1)
ZONES = ("Pacific/Honolulu", "America/Chicago", "Asia/Kolkata", "Pacific/Kiritimati")
SOME = (OutcomeMeasure.HBA1C, OutcomeMeasure.PHQ9)

Measured = tuple[OutcomeMeasure, int, int, int]  # day after START, minute of it, tenths
Talked = tuple[int, int, int, bool]
History = tuple[str, list[Measured], list[Talked]]

days = st.integers(-120, 240)
measured = st.tuples(st.sampled_from(SOME), days, st.integers(0, 1439), st.integers(40, 140))
talked = st.tuples(days, st.integers(0, 1439), st.integers(0, 40), st.booleans())


def at(day: int, minute: int, zone: str) -> datetime:
    local = datetime.combine(START + timedelta(days=day), time(), tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC) + timedelta(minutes=minute)


def microseconds(instants: Sequence[datetime]) -> np.ndarray:
    return np.asarray([int(each.timestamp()) * 1_000_000 for each in instants], dtype=np.int64)


@st.composite
def histories(draw: st.DrawFn) -> list[History]:
    person = st.tuples(
        st.sampled_from(ZONES), st.lists(measured, max_size=8), st.lists(talked, max_size=5)
    )
    return draw(st.lists(person, max_size=6))


def followed(number: int, person: History) -> Followed:
    """Make one patient, each value on its day in order of time; of one instant, as listed."""
    zone, values, talks = person
    taken: dict[OutcomeMeasure, list[Taken]] = {}
    for measure, day, minute, value in sorted(values, key=lambda each: at(each[1], each[2], zone)):
        on = at(day, minute, zone).astimezone(ZoneInfo(zone)).date()
        taken.setdefault(measure, []).append(Taken(on, Decimal(value) / 10))
    said = [
        Talk(at(day, minute, zone).astimezone(ZoneInfo(zone)).date(), minutes, is_completed)
        for day, minute, minutes, is_completed in sorted(
            talks, key=lambda each: at(each[0], each[1], zone)
        )
    ]
    return Followed(number, START, taken, said)


def as_read(people: Sequence[History]) -> People:
    """Make the same of columns, as reports read them: in no order, with ids that are."""
    places = Places(range(len(people)), [START] * len(people), [zone for zone, *_more in people])
    rows = [
        (who, MEASURES.index(measure), at(day, minute, zone), value * 100)
        for who, (zone, values, _talks) in enumerate(people)
        for measure, day, minute, value in values
    ]
    whose, kinds, instants, values = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    )
    back = np.arange(len(rows))[::-1]
    when = microseconds(instants)[back]
    found = places.days(np.asarray(whose, dtype=np.int64)[back], when)
    kept, where = found.nearest(np.asarray(kinds, dtype=np.int64)[back], (back, when))
    value = np.asarray(values, dtype=np.int64)[back]
    table = (
        placed(len(people), where, found.ordinals[kept]),
        placed(len(people), where, value[kept]),
    )
    said = [
        (who, at(day, minute, zone), minutes, int(is_completed))
        for who, (zone, _values, talks) in enumerate(people)
        for day, minute, minutes, is_completed in talks
    ]
    spoken, times, lengths, completed = (
        (list(column) for column in zip(*said, strict=True)) if said else ([],) * 4
    )
    order = np.arange(len(said))
    when = microseconds(times)
    of_whom = places.days(np.asarray(spoken, dtype=np.int64), when)
    talks = Said.of_rows(
        of_whom,
        np.asarray(lengths, dtype=np.int64),
        np.asarray(completed, dtype=np.int64),
        (order, when),
    )
    return People(places.ids, places.starts, table, talks)


@given(histories())
def test_what_counts_of_everybody_is_what_counts_of_each(people: list[History]) -> None:
    """Of one day the later one, by the instant, and then by its id."""
    found = as_read(people)

    for patient, expected in zip(found, map(followed, range(len(people)), people), strict=True):
        for measure in SOME:
            for point in Point:
                assert patient.at(measure, point) == expected.at(measure, point)
        assert list(patient.talks) == list(expected.talks)


@given(histories(), st.sampled_from([Point.MONTH_3, Point.MONTH_6]))
def test_figures_of_columns_are_those_of_patients_looked_at(
    people: list[History], point: Point
) -> None:
    """Doses by the slow way, one patient after the other."""
    listed = [followed(number, each) for number, each in enumerate(people)]
    slow = []
    for each in listed:
        before, after = (each.at(SOME[0], when) for when in (Point.BASELINE, point))
        if before and after:
            dose = each.dose_until(after.on)
            slow.append((dose.calls, dose.minutes, float(after.value - before.value)))

    for patients in (listed, as_read(people)):
        outcome = outcome_of(patients, SOME[0], point, today=LONG_AFTER)
        assert outcome.doses == slow


@given(histories(), histories())
def test_two_clinics_together_are_the_patients_of_both(
    first: list[History], second: list[History]
) -> None:
    apart = [as_read(people) for people in (first, second)]
    what = (OutcomeMeasure.HBA1C, Point.MONTH_6)

    both = People.together(apart)

    assert list(both) == [*apart[0], *apart[1]]
    outcomes = [outcome_of(each, *what, today=LONG_AFTER) for each in apart]
    assert together(outcomes, *what).changes == [
        change for each in outcomes for change in each.changes
    ]
    assert together([], *what).changes == []


@given(histories(), st.data())
def test_some_of_them_are_who_they_were(people: list[History], data: st.DataObject) -> None:
    everybody = as_read(people)
    is_kept = [data.draw(st.booleans()) for _each in people]

    some = everybody.some(np.asarray(is_kept, dtype=np.bool_))

    assert some == [each for each, kept in zip(everybody, is_kept, strict=True) if kept]
    assert measured_throughout(some, SOME[0], Point.MONTH_3) == [
        [float(value.value) for value in values if value]
        for each in some
        if all(values := [each.at(SOME[0], at) for at in (Point.BASELINE, Point.MONTH_3)])
    ]
