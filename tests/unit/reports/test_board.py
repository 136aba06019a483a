"""The cohort board: each registered patient stands in one place each month."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.programmes.rules import EnrolmentStatus
from outreach.reports.rules.board import (
    BoardFigure,
    Cared,
    CohortStanding,
    CohortTotal,
    Exclusion,
    Month,
    MonthTotal,
    Standing,
    by_cohort,
    by_month,
    figure_named,
    months_until,
)
from outreach.reports.rules.outcomes import Followed, OutcomeMeasure, Taken, Talk
from outreach.reports.rules.people import People
from outreach.reports.rules.watched import Watched

START = date(2025, 3, 10)
ACTIVE, WITHDRAWN, DIED, COMPLETED = (
    EnrolmentStatus.ACTIVE,
    EnrolmentStatus.WITHDRAWN,
    EnrolmentStatus.DIED,
    EnrolmentStatus.COMPLETED,
)


def cared(
    values: Sequence[tuple[date, str]] = (),
    talks: Sequence[date] = (),
    statuses: Sequence[tuple[date, EnrolmentStatus]] = (),
    starts_on: date = START,
) -> Cared:
    taken = [Taken(on, Decimal(value)) for on, value in values]
    said = [Talk(on, 10, is_completed=True) for on in talks]
    return Cared(Followed(1, starts_on, {OutcomeMeasure.HBA1C: taken}, said), statuses)


def standing_of(patient: Cared, month: Month) -> Standing | None:
    """Where one patient stood at the end of a month; None where not registered."""
    (found,) = by_month(Watched.of([patient]), [month])
    stood = [each for each, who in found.patients.items() if who]
    assert len(stood) <= 1
    return stood[0] if stood else None


@pytest.mark.parametrize(
    ("month", "standing"),
    [
        (date(2025, 5, 1), None),  # began in March: May is the third month
        (date(2025, 6, 1), Standing.UNREAD),
        (date(2026, 2, 1), Standing.UNREAD),
        (date(2026, 3, 1), Standing.LOST),  # twelve months back to April, and began in March
    ],
)
def test_nobody_is_judged_before_three_months_or_lost_before_twelve(
    month: date, standing: Standing | None
) -> None:
    assert standing_of(cared(), Month.of(month)) is standing


@pytest.mark.parametrize(
    ("on", "value", "standing"),
    [
        (date(2025, 9, 30), "9.0", Standing.UNCONTROLLED),
        (date(2025, 9, 30), "8.0", Standing.UNCONTROLLED),
        (date(2025, 9, 30), "7.9", Standing.CONTROLLED),
        (date(2025, 7, 1), "7.9", Standing.CONTROLLED),
        (date(2025, 6, 30), "7.9", Standing.UNREAD),
        (date(2025, 10, 1), "7.9", Standing.UNREAD),  # not known yet at the end of September
    ],
)
def test_the_newest_value_of_three_calendar_months_decides(
    on: date, value: str, standing: Standing
) -> None:
    older = (date(2025, 6, 15), "12.0")

    assert standing_of(cared([older, (on, value)]), Month.of(date(2025, 9, 1))) is standing


@pytest.mark.parametrize("talked_on", [date(2025, 5, 1), date(2026, 4, 30)])
def test_a_conversation_keeps_somebody_from_being_lost(talked_on: date) -> None:
    assert standing_of(cared(talks=[talked_on]), Month.of(date(2026, 4, 1))) is Standing.UNREAD


@pytest.mark.parametrize(
    ("statuses", "is_counted"),
    [
        ([(date(2025, 7, 3), DIED)], False),
        ([(date(2025, 7, 3), WITHDRAWN)], False),
        ([(date(2025, 7, 3), COMPLETED)], True),
        ([(date(2025, 10, 1), WITHDRAWN)], True),  # after September
        ([(date(2025, 7, 3), WITHDRAWN), (date(2025, 9, 30), ACTIVE)], True),  # came back
    ],
)
def test_who_died_or_left_is_under_nobodys_care(
    statuses: Sequence[tuple[date, EnrolmentStatus]],
    is_counted: bool,  # noqa: FBT001
) -> None:
    standing = standing_of(cared(statuses=statuses), Month.of(date(2025, 9, 1)))

    assert (standing is not None) is is_counted


def test_cohorts_say_what_became_of_everybody() -> None:
    at_month_6 = START + timedelta(days=182)
    people = [
        cared([(at_month_6, "7.5")]),
        cared([(at_month_6, "8.5")]),
        cared(),
        cared(starts_on=date(2025, 12, 1)),
    ]
    today = date(2026, 1, 15)

    first, *_between, last = by_cohort(
        People.of([each.followed for each in people]),
        [Month.of(START) + ahead for ahead in range(10)],
        today=today,
    )

    assert {each: first.count(each) for each in CohortStanding} == {
        CohortStanding.CONTROLLED: 1,
        CohortStanding.UNCONTROLLED: 1,
        CohortStanding.UNREAD: 1,
        CohortStanding.OPEN: 0,
    }
    assert (last.size, last.known, last.count(CohortStanding.OPEN)) == (1, 0, 1)


def test_only_months_that_are_over_are_shown() -> None:
    months = months_until(date(2026, 3, 31))

    assert len(months) == 12
    assert (months[0].first_on, months[-1].last_on) == (date(2025, 3, 1), date(2026, 2, 28))
    assert months_until(date(2026, 4, 1))[-1].last_on == date(2026, 3, 31)


days = st.integers(-60, 700).map(lambda ahead: START + timedelta(days=ahead))
people = st.builds(
    cared,
    st.lists(st.tuples(days, st.sampled_from(["7.0", "8.0", "11.5"])), max_size=5),
    st.lists(days, max_size=5),
    st.lists(st.tuples(days, st.sampled_from(list(EnrolmentStatus))), max_size=3).map(sorted),
    days,
)


@given(st.lists(people, max_size=12), days)
def test_the_board_equals_a_slow_recount(patients: list[Cared], today: date) -> None:
    """Everybody is looked at month by month, with days compared as (year, month)."""

    def ago(day: date, last: date) -> int:
        return (last.year - day.year) * 12 + last.month - day.month

    for row in by_month(Watched.of(patients), months_until(today)):
        last = row.month.last_on
        expected = dict.fromkeys(Standing, 0)
        excluded = dict.fromkeys(Exclusion, 0)
        for each in patients:
            statuses = [status for on, status in each.statuses if on <= last]
            is_gone = bool(statuses) and statuses[-1] in (DIED, WITHDRAWN)
            if ago(each.followed.starts_on, last) < 3 or is_gone:
                if each.followed.starts_on <= last:
                    excluded[Exclusion.GONE if is_gone else Exclusion.NEW] += 1
                continue
            read = sorted(
                (t for t in each.followed.taken[OutcomeMeasure.HBA1C] if t.on <= last),
                key=lambda t: t.on,
            )
            heard = [t.on for t in read] + [t.on for t in each.followed.talks if t.on <= last]
            heard.append(each.followed.starts_on)
            if read and ago(read[-1].on, last) < 3:
                way = Standing.CONTROLLED if read[-1].value < 8 else Standing.UNCONTROLLED
            else:
                way = Standing.UNREAD if ago(max(heard), last) < 12 else Standing.LOST
            expected[way] += 1
        assert {way: row.count(way) for way in Standing} == expected
        assert row.registered == sum(expected.values())
        assert row.under_care == row.registered - expected[Standing.LOST]
        assert {why: row.count(why) for why in Exclusion} == excluded
        counted = [who for way in Standing for who in row.who(way)]
        assert row.who(MonthTotal.REGISTERED) == counted
        assert len(row.who(MonthTotal.UNDER_CARE)) == row.under_care


def test_every_figure_of_the_board_has_an_address() -> None:
    month = Month.of(date(2026, 10, 1))
    for kind in (Standing, Exclusion, MonthTotal):
        for part in kind:
            assert figure_named("month", "2026-10", part.value) == BoardFigure(month, part)
    for cohort in (CohortStanding, CohortTotal):
        for what in cohort:
            assert figure_named("cohort", "2026-10", what.value) == BoardFigure(month, what)
