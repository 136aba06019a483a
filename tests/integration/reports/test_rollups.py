"""Roll-ups say what the rows say, whatever was written, corrected or moved since."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import delete, func, inspect, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.calls.models import Attempt, LastTalk
from outreach.calls.rules import Outcome
from outreach.orm import Model, Sessions
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import CadenceChoice, Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import adherence, comparing, jobs, rolled
from outreach.reports.adherence import Report
from outreach.reports.asked import Asked, Here
from outreach.reports.models import (
    DayCount,
    DialCount,
    TouchedDays,
    TouchedEnrolment,
    WeekCount,
)
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import Tally
from tests.builders import make_attempt, make_planned_call, make_staff
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import make_history, noon

Row = TypeVar("Row", bound=Model)
EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
PERIODS = [
    Period(date(2026, 10, 26), date(2026, 11, 22)),
    Period(date(2026, 8, 1), date(2026, 12, 5)),
    Period(date(2026, 9, 9), date(2026, 9, 9)),
]


def ask(clinic: Clinic, period: Period, now: datetime = NOW) -> Asked:
    return Here.of(EVERYTHING, clinic, now=now).about(period)


def sorted_tally(tally: Tally) -> dict[str, object]:
    found = {field.name: getattr(tally, field.name) for field in fields(Tally)}
    return {
        name: sorted(value, key=repr) if isinstance(value, tuple) else value
        for name, value in found.items()
    }


def comparable(report: Report) -> object:
    lines = {line.caller_id: sorted_tally(line.tally) for line in report.lines}
    return lines, sorted_tally(report.total), report.by_dial, dict(report.days)


def from_rows(session: Session, asked: Asked) -> object:
    """The report with every roll-up out of use: the transaction is given up afterwards."""
    session.add(TouchedDays(clinic_id=asked.clinic_id, from_on=date(2000, 1, 1), until_on=None))
    for each in session.scalars(select(Enrolment).filter_by(clinic_id=asked.clinic_id)):
        session.add(TouchedEnrolment(clinic_id=asked.clinic_id, enrolment_id=each.id))
    session.flush()
    found = comparable(adherence.report(session, asked)), weeks_of(session, asked)
    session.rollback()
    return found


def weeks_of(session: Session, asked: Asked) -> object:
    return [adherence.by_week(session, asked, each) for each in adherence.SERIES]


def assert_true(sessions: Sessions, clinic: Clinic, now: datetime = NOW) -> None:
    """Hold reports against rows, as things are and again once they are rolled up."""
    for is_rolled in (False, True):
        if is_rolled:
            jobs.roll_up(sessions, lambda: now)
        with sessions() as session:
            for period in PERIODS:
                asked = ask(clinic, period, now)
                told = comparable(adherence.report(session, asked)), weeks_of(session, asked)
                assert told == from_rows(session, asked)
            assert not list(comparing.differences(session, clinic, now=now))
    with sessions() as session:
        asked = ask(clinic, PERIODS[1], now)
        assert not rolled.touched_days(session, asked)
        assert not session.scalars(select(TouchedEnrolment)).all()


def touched(session: Session, clinic: Clinic) -> int:
    """How many words there are that something of the clinic changed."""
    return sum(
        session.scalar(select(func.count()).where(model.clinic_id == clinic.id)) or 0
        for model in (TouchedDays, TouchedEnrolment)
    )


@pytest.mark.parametrize("seed", range(3))
def test_reports_say_the_same_before_and_after_they_are_rolled_up(
    sessions: Sessions, seed: int
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(seed))  # noqa: S311
    assert_true(sessions, clinic)


def any_of(session: Session, chance: random.Random, clinic: Clinic, model: type[Row]) -> Row:
    """One of the clinic's rows: a change elsewhere would test nothing."""
    key = inspect(model).primary_key[0]
    rows = session.scalars(select(model).filter_by(clinic_id=clinic.id).order_by(key)).all()
    assert rows
    return chance.choice(rows)


def take_back(session: Session, chance: random.Random, clinic: Clinic) -> None:
    attempt = any_of(session, chance, clinic, Attempt)
    attempt.superseded_at = NOW
    call = session.get_one(PlannedCall, attempt.planned_call_id)
    if call.status is CallStatus.COMPLETED:
        call.status = CallStatus.MISSED


def dial_again(session: Session, chance: random.Random, clinic: Clinic) -> None:
    call = any_of(session, chance, clinic, PlannedCall)
    caller = make_staff(session, clinic)
    at = noon(call.due_on) + timedelta(hours=chance.randint(-14, 40))
    make_attempt(session, call, caller, Outcome.COMPLETED, at=at, minutes=7)
    call.status = CallStatus.COMPLETED


def move(session: Session, chance: random.Random, clinic: Clinic) -> None:
    """In one UPDATE over many rows, as jobs do."""
    by = timedelta(days=chance.randint(1, 5))
    call = any_of(session, chance, clinic, PlannedCall)
    session.execute(
        update(PlannedCall)
        .where(PlannedCall.due_on == call.due_on)
        .values(due_on=call.due_on - by, status=CallStatus.CANCELLED)
        .where(PlannedCall.status != CallStatus.PLANNED)
    )


def hand_over(session: Session, chance: random.Random, clinic: Clinic) -> None:
    held = any_of(session, chance, clinic, PanelMembership)
    held.until_at = held.from_at + timedelta(days=chance.randint(1, 40))


def change_caller(session: Session, chance: random.Random, clinic: Clinic) -> None:
    held = any_of(session, chance, clinic, PanelMembership)
    held.caller_id = make_staff(session, clinic).id


def leave(session: Session, chance: random.Random, clinic: Clinic) -> None:
    enrolment = any_of(session, chance, clinic, Enrolment)
    enrolment.status = EnrolmentStatus.WITHDRAWN
    enrolment.status_at = noon(enrolment.starts_on + timedelta(days=chance.randint(0, 90)))


def choose(session: Session, chance: random.Random, clinic: Clinic) -> None:
    enrolment = any_of(session, chance, clinic, Enrolment)
    session.add(
        CadenceChoice(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            enrolment_id=enrolment.id,
            phase="weeks_2_to_4",
            value=chance.choice([1, 2, 3, 5]),
            chosen_at=noon(enrolment.starts_on),
        )
    )


def plan(session: Session, chance: random.Random, clinic: Clinic) -> None:
    enrolment = any_of(session, chance, clinic, Enrolment)
    day = enrolment.starts_on + timedelta(days=chance.randint(0, 60))
    make_planned_call(session, enrolment, day, status=CallStatus.MISSED)


def move_house(session: Session, chance: random.Random, clinic: Clinic) -> None:
    any_of(session, chance, clinic, Patient).zone = "Pacific/Auckland"


def move_clinic(session: Session, chance: random.Random, clinic: Clinic) -> None:
    del chance
    session.get_one(Clinic, clinic.id).zone = "Pacific/Honolulu"


def remove(session: Session, chance: random.Random, clinic: Clinic) -> None:
    attempt = any_of(session, chance, clinic, Attempt)
    session.execute(delete(LastTalk).where(LastTalk.attempt_id == attempt.id))
    session.execute(delete(Attempt).where(Attempt.id == attempt.id))


def test_a_programme_that_lets_choose_more_from_now_on_changes_no_week_before(
    sessions: Sessions,
) -> None:
    chance = random.Random(3)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_history(session, chance)
    jobs.roll_up(sessions, lambda: NOW)
    told = []
    for _time in range(2):
        with sessions() as session:
            told += [adherence.report(session, ask(clinic, each)).total for each in PERIODS]
        with sessions.begin() as session:
            newest = session.scalars(
                select(ProgrammeVersion).order_by(ProgrammeVersion.id.desc())
            ).first()
            assert newest is not None
            first, *others = newest.protocol.phases
            freer = replace(newest.protocol, phases=(replace(first, choices=(3, 4)), *others))
            session.add(
                ProgrammeVersion(
                    programme_id=newest.programme_id,
                    number=newest.number + 1,
                    data=freer.as_data(),
                    created_at=NOW,
                    note="",
                )
            )

    assert any(tally.chosen_judged for tally in told)
    assert told[: len(PERIODS)] == told[len(PERIODS) :]


Change = Callable[[Session, random.Random, Clinic], None]
CHANGES: list[Change] = [
    take_back,
    dial_again,
    move,
    hand_over,
    change_caller,
    leave,
    choose,
    plan,
    move_house,
    move_clinic,
    remove,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
def test_a_late_change_is_in_the_report_at_once(sessions: Sessions, change: Change) -> None:
    chance = random.Random(change.__name__)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_history(session, chance)
    jobs.roll_up(sessions, lambda: NOW)

    for _ in range(3):
        with sessions.begin() as session:
            change(session, chance, clinic)
    with sessions() as session:
        clinic = session.get_one(Clinic, clinic.id)
        assert touched(session, clinic)

    assert_true(sessions, clinic)


@pytest.mark.parametrize("days", [1, 3, 30])
def test_weeks_that_end_later_are_in_the_report_before_they_are_rolled_up(
    sessions: Sessions, days: int
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(5))  # noqa: S311
    jobs.roll_up(sessions, lambda: NOW - timedelta(days=days))

    assert_true(sessions, clinic)


def test_nothing_is_left_to_do_the_second_time(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_history(session, random.Random(7))  # noqa: S311

    assert jobs.roll_up(sessions, lambda: NOW) > 0
    assert jobs.roll_up(sessions, lambda: NOW) == 0


def test_a_roll_up_that_is_wrong_is_named(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(8))  # noqa: S311
    jobs.roll_up(sessions, lambda: NOW)

    with sessions.begin() as session:
        day = session.scalars(select(DayCount).filter_by(clinic_id=clinic.id)).first()
        week = session.scalars(select(WeekCount).filter_by(clinic_id=clinic.id)).first()
        dial = session.scalars(select(DialCount).filter_by(clinic_id=clinic.id)).first()
        assert day is not None
        assert week is not None
        assert dial is not None
        day.dials += 1
        week.minutes += 5
        session.delete(dial)

    with sessions() as session:
        found = list(comparing.differences(session, clinic, now=NOW))
    assert sorted((each.table, each.place) for each in found) == sorted(
        [
            ("days by caller", (day.day, day.caller_id)),
            ("days by dial", (dial.day, dial.dial)),
            ("weeks by enrolment", (week.enrolment_id, week.number)),
        ]
    )
    assert next(each for each in found if each.table == "days by dial").rolled is None


def test_a_call_put_off_or_read_touches_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_history(session, random.Random(9))  # noqa: S311
    jobs.roll_up(sessions, lambda: NOW)

    with sessions.begin() as session:
        session.execute(update(PlannedCall).values(dials=PlannedCall.dials + 1))
        session.execute(update(PanelMembership).values(opened_at=NOW))

    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(TouchedDays)) == 0
        assert session.scalar(select(func.count()).select_from(TouchedEnrolment)) == 0
