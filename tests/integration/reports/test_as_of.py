"""Adherence as of a day says the same next year, whatever is written in between."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.calls.models import Attempt, AttemptBefore, AttemptCorrection, LastTalk
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import CadenceChoice, Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import adherence, breakdown, outcomes, single_calls
from outreach.reports.asked import Asked, Here
from outreach.reports.breakdown import Dimension
from outreach.reports.known import COMPLETING
from outreach.reports.rules.outcomes import WINDOWS, Point
from outreach.reports.rules.period import Period
from outreach.reports.rules.tally import Measure, parts_of
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_membership,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import make_history, noon
from tests.integration.reports.test_pages import call_made, manager_of
from tests.integration.reports.test_rollups import comparable, weeks_of

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
PERIOD = Period(date(2026, 8, 1), date(2026, 11, 22))
DAY = date(2026, 11, 22)
LATER = NOW + timedelta(days=200)


def told(session: Session, asked: Asked) -> object:
    groups = [
        repr(breakdown.by(session, asked, each).total)
        for each in (Dimension.PHASE, Dimension.WEEK, Dimension.LANGUAGE)
    ]
    calls = [
        [repr(each) for each in single_calls.page(session, asked, measure, None).calls]
        for measure in sorted(single_calls.COUNTED)
    ]
    return comparable(adherence.report(session, asked)), weeks_of(session, asked), groups, calls


def as_of(session: Session, clinic: Clinic, day: date) -> object:
    here = Here.of(EVERYTHING, session.get_one(Clinic, clinic.id), now=LATER)
    return told(session, here.about(PERIOD).as_of(day))


def settle_times(session: Session) -> None:
    """Give the rows of a random history the instants that a real one would have."""
    for call in session.scalars(select(PlannedCall)):
        call.planned_at = noon(call.due_on - timedelta(days=7))
        if call.status is not CallStatus.PLANNED:
            call.closed_at = noon(min(call.complete_by_on, DAY - timedelta(days=2)))
    for enrolment in session.scalars(select(Enrolment)):
        enrolment.status_at = min(enrolment.status_at, noon(DAY - timedelta(days=1)))


def correct(session: Session, chance: random.Random) -> None:
    for attempt in session.scalars(select(Attempt).order_by(Attempt.id)).all()[::3]:
        if attempt.at >= NOW:
            continue
        instead = make_attempt(
            session,
            session.get_one(PlannedCall, attempt.planned_call_id),
            make_staff(session, session.get_one(Clinic, attempt.clinic_id)),
            Outcome.NO_ANSWER,
            at=attempt.at,
        )
        attempt.superseded_at = LATER
        session.add(
            AttemptCorrection(
                clinic_id=attempt.clinic_id,
                patient_id=attempt.patient_id,
                attempt_id=attempt.id,
                replaced_by_id=instead.id,
                reason="",
                by_staff_id=instead.caller_id,
                at=LATER,
            )
        )
        call = session.get_one(PlannedCall, attempt.planned_call_id)
        if call.status is CallStatus.COMPLETED:
            call.status = chance.choice([CallStatus.MISSED, CallStatus.COMPLETED])


def save_late(session: Session, chance: random.Random) -> None:
    """Record calls that were made before that day and saved after it."""
    calls = select(PlannedCall).where(PlannedCall.due_on < DAY - timedelta(days=3))
    for call in session.scalars(calls.order_by(PlannedCall.id)).all()[::2]:
        caller = make_staff(session, session.get_one(Clinic, call.clinic_id))
        outcome = chance.choice([Outcome.COMPLETED, Outcome.NO_ANSWER])
        made = make_attempt(
            session, call, caller, outcome, at=noon(call.due_on), saved_at=LATER, minutes=5
        )
        session.add(
            AttemptBefore(
                attempt_id=made.id,
                dial_from_at=call.dial_from_at,
                dial_until_at=call.dial_until_at,
                complete_by_on=call.complete_by_on,
                is_agreed=call.is_agreed,
                answers={},
            )
        )
        if call.status is CallStatus.PLANNED:
            call.complete_by_on += timedelta(days=60)
            if outcome is Outcome.COMPLETED:
                call.status, call.closed_at = CallStatus.COMPLETED, LATER


def close(session: Session, chance: random.Random) -> None:
    for call in session.scalars(select(PlannedCall).filter_by(status=CallStatus.PLANNED)):
        call.status = chance.choice([CallStatus.MISSED, CallStatus.COMPLETED, CallStatus.CANCELLED])
        call.closed_at = LATER


def hand_over(session: Session, chance: random.Random) -> None:
    for held in session.scalars(select(PanelMembership).filter_by(until_at=None)).all():
        held.until_at = LATER
        caller = make_staff(session, session.get_one(Clinic, held.clinic_id))
        enrolment = session.get_one(Enrolment, held.enrolment_id)
        make_membership(session, enrolment, caller, from_at=LATER)


def leave(session: Session, chance: random.Random) -> None:
    for enrolment in session.scalars(select(Enrolment)).all():
        before = {
            "clinic_id": enrolment.clinic_id,
            "patient_id": enrolment.patient_id,
            "enrolment_id": enrolment.id,
            "version_id": enrolment.version_id,
            "reason": "",
        }
        session.add(EnrolmentEvent(**before, status=enrolment.status, at=enrolment.status_at))
        enrolment.status = chance.choice(
            [EnrolmentStatus.WITHDRAWN, EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED]
        )
        enrolment.status_at = LATER
        session.add(EnrolmentEvent(**before, status=enrolment.status, at=LATER))


def choose(session: Session, chance: random.Random) -> None:
    for enrolment in session.scalars(select(Enrolment)).all():
        session.add(
            CadenceChoice(
                clinic_id=enrolment.clinic_id,
                patient_id=enrolment.patient_id,
                enrolment_id=enrolment.id,
                phase="weeks_2_to_4",
                value=5,
                chosen_at=LATER,
            )
        )


def enrol(session: Session, chance: random.Random) -> None:
    for clinic in session.scalars(select(Clinic)).all():
        enrolment = make_enrolment(
            session,
            make_patient(session, clinic, phone=None),
            starts_on=date(2026, 9, 1),
            enrolled_at=LATER,
        )
        call = make_planned_call(session, enrolment, date(2026, 9, 1), planned_at=LATER)
        make_attempt(session, call, make_staff(session, clinic), at=LATER)


@pytest.mark.parametrize("change", [correct, save_late, close, hand_over, leave, choose, enrol])
def test_what_is_written_later_does_not_count(sessions: Sessions, change: object) -> None:
    assert callable(change)
    chance = random.Random(11)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_history(session, chance)
        settle_times(session)
    with sessions() as session:
        before = as_of(session, clinic, DAY)

    with sessions.begin() as session:
        change(session, chance)

    with sessions() as session:
        assert as_of(session, clinic, DAY) == before


@pytest.mark.parametrize("seed", range(3))
def test_as_of_a_day_equals_the_report_of_when_it_ended(sessions: Sessions, seed: int) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(seed))  # noqa: S311
        settle_times(session)

    with sessions() as session:
        asked = Here.of(EVERYTHING, clinic, now=LATER).about(PERIOD).as_of(DAY)
        # Nothing of this history came to be known after that day, but dials of the last hours.
        session.execute(delete(LastTalk))
        late = select(Attempt.planned_call_id).where(
            Attempt.at > asked.now, Attempt.outcome.in_(COMPLETING)
        )
        for call in session.scalars(select(PlannedCall).where(PlannedCall.id.in_(late))):
            call.status = CallStatus.MISSED
        session.execute(delete(Attempt).where(Attempt.at > asked.now))
        session.flush()
        assert told(session, asked) == told(session, replace(asked, is_past=False))


@pytest.mark.parametrize("change", [correct, save_late, close, hand_over])
def test_the_calls_behind_a_figure_are_the_figure_of_then(
    sessions: Sessions, change: object
) -> None:
    assert callable(change)
    chance = random.Random(7)  # noqa: S311
    with sessions.begin() as session:
        clinic = make_history(session, chance)
        settle_times(session)
        change(session, chance)

    with sessions() as session:
        asked = Here.of(EVERYTHING, clinic, now=LATER).about(PERIOD).as_of(DAY)
        for dimension in (Dimension.CALLER, Dimension.PHASE):
            found = breakdown.by(session, asked, dimension)
            groups = [(line.tally, (dimension, line.key)) for line in found.lines]
            for tally, group in [(found.total, None), *groups]:
                for measure in sorted(single_calls.COUNTED - {Measure.DIALS_PER_REACH}):
                    page = single_calls.page(session, asked, measure, group)
                    assert (page.counted, page.total) == parts_of(measure, tally)


def test_a_day_is_over_at_its_end_for_every_report(sessions: Sessions) -> None:
    """Calls, weeks and windows that end on a day are judged as of its end, by all of them."""
    began_on = DAY - timedelta(days=WINDOWS[Point.MONTH_3].until_day)  # a whole week ends then too
    with sessions.begin() as session:
        clinic = make_clinic(session)
        enrolment = make_enrolment(
            session,
            make_patient(session, clinic, phone=None),
            starts_on=began_on,
            enrolled_at=noon(began_on),
        )
        make_planned_call(session, enrolment, DAY, complete_by_on=DAY, planned_at=noon(began_on))
        week_on = began_on + timedelta(days=6)

    with sessions() as session:
        here = Here.of(EVERYTHING, session.get_one(Clinic, clinic.id), now=LATER)
        call = adherence.report(session, here.about(Period(DAY, DAY)).as_of(DAY)).total
        week = adherence.report(session, here.about(Period(week_on, week_on)).as_of(week_on)).total
        found = outcomes.cohort(session, here, DAY)

    assert (call.missed, call.still_open) == (1, 0)
    assert week.weeks_judged == 1
    assert found.today == DAY + timedelta(days=1)
    assert not found.patients[0].is_eligible(Point.MONTH_3, today=DAY)
    assert found.patients[0].is_eligible(Point.MONTH_3, today=found.today)


def test_a_day_that_is_not_over_closes_nothing(sessions: Sessions) -> None:
    """As of the end of today is as things stand: today's windows are still open."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
    with sessions() as session:
        here = Here.of(EVERYTHING, session.get_one(Clinic, clinic.id), now=NOW)

        assert outcomes.cohort(session, here, here.today).today == here.today
        assert here.about(PERIOD).as_of(here.today).today == here.today


def test_the_page_carries_the_day_along_and_says_it(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        call_made(session, clinic)
        manager = manager_of(session, clinic)
    sign_in(client, manager)

    page = client.get("/reports/adherence?as_of=2026-11-20&days=28").text

    assert "as of the end of" in page
    assert "as_of=2026-11-20" in page
    files = page[page.index('<form class="take') :]
    assert "as_of=2026-11-20" in files[: files.index("</form>")]
    assert "as of the end of" not in client.get("/reports/adherence").text


def test_days_after_the_one_that_is_known_cannot_be_asked_about(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        manager = manager_of(session, make_clinic(session))
    sign_in(client, manager)
    days = {"from_on": "2026-11-01", "as_of": "2026-11-20"}

    known = client.get("/reports/adherence", query_string=days | {"until_on": "2026-11-20"})
    unknown = client.get("/reports/adherence", query_string=days | {"until_on": "2026-11-21"})

    assert "field__error" not in known.text
    assert "Choose Nov 20, 2026 or an earlier day" in unknown.text


@pytest.mark.parametrize("typed", ["2027-01-01", "1999-12-31", "yesterday"])
def test_a_day_that_cannot_be_shown_is_said(
    sessions: Sessions, client: FlaskClient, typed: str
) -> None:
    with sessions.begin() as session:
        manager = manager_of(session, make_clinic(session))
    sign_in(client, manager)

    page = client.get("/reports/adherence", query_string={"as_of": typed})

    assert page.status_code == 200
    assert "field__error" in page.text
    assert "as of the end of" not in page.text


def test_a_day_that_has_not_ended_further_west_is_not_over_there(session: Session) -> None:
    here = make_clinic(session, zone="America/New_York")
    west = make_clinic(session, zone="America/Los_Angeles")
    day = date(2026, 11, 23)
    for clinic in (here, west):
        enrolment = make_enrolment(session, make_patient(session, clinic))
        make_planned_call(session, enrolment, day, complete_by_on=day)
    after_midnight = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)  # 9:30 in the evening in the west
    scope = Scope(1, everything=True, clinic_ids=frozenset())
    asked = Here.of(scope, here, now=after_midnight).about(Period(day, day)).as_of(day)

    lines = breakdown.by_place(session, [here, west], asked, Dimension.CLINIC)

    assert [(line.tally.missed, line.tally.still_open) for line in lines] == [(1, 0), (0, 1)]
