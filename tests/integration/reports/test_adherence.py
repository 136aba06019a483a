"""The adherence report says what its definitions say, whatever happened."""

import random
from collections import Counter
from dataclasses import fields
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role, Scope
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.planning.rules import CallStatus
from outreach.reports import adherence
from outreach.reports.adherence import Report
from outreach.reports.asked import Asked, Here
from outreach.reports.rules.period import Period, begin_of, last_days
from outreach.reports.rules.tally import Measure, Tally
from tests.builders import (
    actor_of,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_membership,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import Recount, make_history, noon

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
MONDAY = date(2026, 11, 2)
TODAY = date(2026, 11, 23)
PERIODS = [
    Period(date(2026, 10, 26), date(2026, 11, 22)),
    Period(date(2026, 8, 1), date(2026, 12, 5)),
    Period(date(2026, 9, 9), date(2026, 9, 9)),
]


def ask(clinic: Clinic, period: Period, scope: Scope = EVERYTHING) -> Asked:
    return Here.of(scope, clinic, now=NOW).about(period)


def only(report: Report) -> Tally:
    (line,) = report.lines
    return line.tally


@pytest.mark.parametrize("seed", range(12))
def test_the_report_equals_a_recount_row_by_row(sessions: Sessions, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a history that can be had again
    with sessions.begin() as session:
        clinic = make_history(session, chance)

    with sessions() as session:
        for period in PERIODS:
            report = adherence.report(session, ask(clinic, period))
            recount = Recount(session, clinic, period, NOW)
            tallies = {line.caller_id: line.tally for line in report.lines}
            expected = {
                "completed": recount.calls("completed"),
                "missed": recount.calls("missed"),
                "still_open": recount.calls("still_open"),
                "cancelled": recount.calls("cancelled"),
                "completed_by_primary": recount.completed_by_primary(),
                "dials": recount.dials(reached_only=False),
                "reached": recount.dials(reached_only=True),
                "patients": recount.patients(reached_only=False),
                "patients_reached": recount.patients(reached_only=True),
                "weeks_judged": [who for who, kept, _ in recount.weeks() if kept is not None],
                "weeks_kept": [who for who, kept, _ in recount.weeks() if kept],
                "weeks_open": [who for who, kept, _ in recount.weeks() if kept is None],
                "first_waiting": recount.first_waiting(),
                "chosen_judged": [who for who, _kept in recount.chosen_weeks()],
                "chosen_kept": [who for who, kept in recount.chosen_weeks() if kept],
            }
            for name, callers in expected.items():
                counted = {who: getattr(each, name) for who, each in tallies.items()}
                assert Counter(counted) == Counter(callers), name
            assert report.days == Counter(who for who, _day in set(recount.dialled_days()))
            minutes = sorted(
                (str(who), spent) for who, each in tallies.items() for spent in each.minutes
            )
            assert minutes == sorted((str(who), spent) for who, _, spent in recount.weeks())
            assert Counter(
                (who, wait.days is not None, wait.is_in_time)
                for who, each in tallies.items()
                for wait in each.waits
            ) == Counter((who, at is not None, ok) for who, at, ok in recount.waits())


@pytest.mark.parametrize("seed", range(3))
def test_callers_add_up_to_the_clinic_and_months_to_the_quarter(
    sessions: Sessions, seed: int
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(seed))  # noqa: S311
    edges = [date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]

    with sessions() as session:
        whole = adherence.report(session, ask(clinic, Period(edges[0], date(2026, 10, 31))))
        months = [
            adherence.report(session, ask(clinic, Period(begin, end - timedelta(days=1)))).total
            for begin, end in pairwise(edges)
        ]

    added = sum(months, start=Tally())
    for field in fields(Tally):
        parts = [getattr(line.tally, field.name) for line in whole.lines]
        ours, theirs = getattr(whole.total, field.name), getattr(added, field.name)
        if isinstance(ours, tuple):
            assert sorted(map(repr, ours)) == sorted(map(repr, theirs))
            continue
        assert sum(parts) == ours
        if not field.name.startswith("patients"):  # people are there in more than one month
            assert ours == theirs


def test_cancelled_calls_count_for_nobody_and_open_ones_stand_apart(session: Session) -> None:
    clinic = make_clinic(session)
    enrolment = make_enrolment(
        session, make_patient(session, clinic), caller=make_staff(session, clinic)
    )
    for status in (CallStatus.CANCELLED, CallStatus.COMPLETED, CallStatus.MISSED):
        make_planned_call(session, enrolment, TODAY, status=status)
    make_planned_call(session, enrolment, TODAY, complete_by_on=TODAY)

    tally = only(adherence.report(session, ask(clinic, Period(TODAY, TODAY))))

    assert (tally.due, tally.completed, tally.missed, tally.still_open) == (2, 1, 1, 1)
    assert tally.cancelled == 1


def test_an_open_call_whose_last_day_has_passed_counts_as_missed(session: Session) -> None:
    clinic = make_clinic(session)
    enrolment = make_enrolment(session, make_patient(session, clinic), starts_on=MONDAY)
    make_planned_call(session, enrolment, MONDAY, complete_by_on=TODAY - timedelta(days=1))

    tally = only(adherence.report(session, ask(clinic, Period(MONDAY, TODAY))))

    assert (tally.missed, tally.still_open) == (1, 0)


def test_a_call_belongs_to_who_was_the_caller_on_its_due_day(session: Session) -> None:
    clinic = make_clinic(session)
    before, after = make_staff(session, clinic), make_staff(session, clinic)
    enrolment = make_enrolment(session, make_patient(session, clinic), starts_on=MONDAY)
    handed_over_at = noon(MONDAY + timedelta(days=2))
    make_membership(session, enrolment, before, until_at=handed_over_at)
    make_membership(session, enrolment, after, from_at=handed_over_at)
    for ahead in (1, 2, 3):
        due_on = MONDAY + timedelta(days=ahead)
        make_planned_call(session, enrolment, due_on, status=CallStatus.MISSED)

    report = adherence.report(session, ask(clinic, Period(MONDAY, TODAY)))

    missed = {line.caller_id: line.tally.missed for line in report.lines}
    assert missed == {before.id: 1, after.id: 2}


def test_a_dial_belongs_to_who_dialled_and_a_stand_in_breaks_continuity(session: Session) -> None:
    clinic = make_clinic(session)
    own, cover = make_staff(session, clinic), make_staff(session, clinic)
    enrolment = make_enrolment(session, make_patient(session, clinic), caller=own, starts_on=MONDAY)
    for day, caller in ((MONDAY, own), (MONDAY + timedelta(days=2), cover)):
        call = make_planned_call(session, enrolment, day, status=CallStatus.COMPLETED)
        make_attempt(session, call, caller, Outcome.NO_ANSWER, is_primary_caller=caller is own)
        make_attempt(session, call, caller, is_primary_caller=caller is own)

    report = adherence.report(session, ask(clinic, Period(MONDAY, TODAY)))

    tallies = {line.caller_id: line.tally for line in report.lines}
    assert (tallies[own.id].dials, tallies[cover.id].dials) == (2, 2)
    assert (tallies[own.id].completed_by_primary, tallies[own.id].completed) == (1, 2)
    assert tallies[cover.id].completed == 0
    assert report.by_dial.calls == 2
    assert report.by_dial.reached_by(1) == 0
    assert report.by_dial.reached_by(2) == 2
    assert report.by_dial.median_dial == 2


@pytest.mark.parametrize(
    ("outcome", "in_time"), [(Outcome.COMPLETED, 1), (Outcome.SAFETY, 1), (Outcome.OPTED_OUT, 0)]
)
def test_a_first_call_in_time_is_one_that_was_completed(
    session: Session, outcome: Outcome, in_time: int
) -> None:
    clinic = make_clinic(session)
    own = make_staff(session, clinic)
    enrolment = make_enrolment(session, make_patient(session, clinic), caller=own, starts_on=MONDAY)
    make_attempt(session, make_planned_call(session, enrolment, MONDAY), own, outcome)

    tally = adherence.report(session, ask(clinic, Period(MONDAY, TODAY))).total

    assert (tally.in_time, len(tally.waits)) == (in_time, 1)


@pytest.mark.parametrize(("wednesday_hour", "in_time"), [(3, 1), (23, 1), (30, 0)])
def test_the_wait_for_a_first_call_begins_with_the_programme(
    session: Session, wednesday_hour: int, in_time: int
) -> None:
    """A patient in New York of a clinic in Chicago, enrolled ten days before the start."""
    clinic = make_clinic(session)
    own = make_staff(session, clinic)
    patient = make_patient(session, clinic, zone="America/New_York")
    enrolled_at = noon(MONDAY - timedelta(days=10))
    enrolment = make_enrolment(
        session, patient, caller=own, starts_on=MONDAY, enrolled_at=enrolled_at
    )
    at = begin_of(MONDAY + timedelta(days=2), ZoneInfo(patient.zone))
    call = make_planned_call(session, enrolment, MONDAY)
    make_attempt(session, call, own, at=at + timedelta(hours=wednesday_hour))

    period = Period(enrolled_at.date(), enrolled_at.date())
    tally = adherence.report(session, ask(clinic, period)).total

    assert (tally.in_time, len(tally.waits)) == (in_time, 1)
    assert tally.median_wait == pytest.approx(2 + wednesday_hour / 24)


def test_another_clinic_and_a_foreign_scope_stay_out(session: Session) -> None:
    clinic, other = make_clinic(session), make_clinic(session)
    for each in (clinic, other):
        enrolment = make_enrolment(session, make_patient(session, each), starts_on=MONDAY)
        call = make_planned_call(session, enrolment, MONDAY, status=CallStatus.COMPLETED)
        make_attempt(session, call, make_staff(session, each))
    manager = make_staff(session, other, Role.MANAGER)
    foreign = actor_of(manager, other, Role.MANAGER).scope

    report = adherence.report(session, ask(clinic, Period(MONDAY, TODAY)))
    nothing = adherence.report(session, ask(clinic, Period(MONDAY, TODAY), foreign))

    assert (report.total.completed, report.total.dials) == (1, 1)
    assert nothing.total == Tally()
    assert nothing.lines == ()


def test_weeks_of_the_run_chart_are_whole_and_count_only_what_is_known(session: Session) -> None:
    clinic = make_clinic(session)
    enrolment = make_enrolment(session, make_patient(session, clinic), starts_on=MONDAY)
    sunday = MONDAY + timedelta(days=6)
    make_planned_call(session, enrolment, MONDAY, status=CallStatus.COMPLETED)
    make_planned_call(session, enrolment, sunday, status=CallStatus.MISSED)
    make_planned_call(session, enrolment, TODAY - timedelta(days=1), complete_by_on=TODAY)

    weeks = adherence.by_week(session, ask(clinic, last_days(7, today=TODAY)), Measure.COMPLETION)

    assert len(weeks) == 26
    assert weeks[-1].week_on == TODAY - timedelta(days=7)
    counted = {each.week_on: (each.part, each.whole) for each in weeks if each.whole}
    assert counted == {MONDAY: (1, 2)}


@pytest.mark.parametrize("callers", [3, 30])
def test_takes_as_many_statements_for_thirty_callers_as_for_three(
    sessions: Sessions, engine: Engine, callers: int
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for _ in range(callers):
            caller = make_staff(session, clinic)
            patient = make_patient(session, clinic)
            enrolment = make_enrolment(session, patient, caller=caller, starts_on=MONDAY)
            call = make_planned_call(session, enrolment, MONDAY, status=CallStatus.COMPLETED)
            make_attempt(session, call, caller)
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))

    with sessions() as session:
        report = adherence.report(session, ask(clinic, Period(MONDAY, TODAY)))

    assert len(report.lines) == callers
    # What is not rolled up yet is counted from rows, by a stretch of days.
    assert len([each for each in seen if each.startswith(("SELECT", "WITH"))]) == 21
