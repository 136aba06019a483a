"""Continuity: calls by the patient's own caller of all completed calls, for any period."""

from datetime import date, timedelta
from itertools import combinations_with_replacement
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Scope
from outreach.calls import leases, outcomes
from outreach.calls.models import Attempt
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import Outcome
from outreach.panels import assignment, duty
from outreach.panels.assignment import Handover
from outreach.panels.rules import ChangeReason
from outreach.planning import next_call
from outreach.reports import adherence
from outreach.reports.asked import Here
from outreach.reports.rules.period import Period
from tests.builders import (
    actor_of,
    make_absence,
    make_clinic,
    make_cover,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)

FIRST = date(2026, 11, 2)
CHICAGO = ZoneInfo("America/Chicago")


def test_holds_with_cover_and_with_a_change_of_caller(session: Session) -> None:
    clinic = make_clinic(session)
    own, stand_in, new = (make_staff(session, clinic) for _each in range(3))
    patient = make_patient(session, clinic)
    enrolment = make_enrolment(session, patient, caller=own, starts_on=FIRST)
    make_planned_call(session, enrolment, FIRST)
    absence = make_absence(session, own, clinic.id)  # Monday 23 to Friday 27 November
    make_cover(session, absence, enrolment, stand_in)
    by_id = {each.id: each for each in (own, stand_in, new)}
    made: list[tuple[date, StaffMember, bool]] = []
    handed_over_on = date(2026, 12, 7)

    while True:
        call = next_call.open_call(session, enrolment.id)
        if call is None or call.due_on > date(2026, 12, 31):
            break
        now = call.dial_from_at + timedelta(minutes=5)
        current = assignment.current_membership(session, enrolment.id)
        assert current is not None
        if call.due_on >= handed_over_on and current.caller_id == own.id:
            handover = Handover(current.id, new.id, ChangeReason.PATIENT_ASKED, "Asked.")
            assignment.change_caller(session, enrolment.id, handover, by_staff_id=own.id, now=now)
            current = assignment.current_membership(session, enrolment.id)
            assert current is not None
        on_duty = duty.on_duty(session, enrolment.id, now=now)
        assert on_duty is not None
        caller = by_id[on_duty]
        report = CallReport(f"key-{call.id}", Outcome.COMPLETED, 12)
        actor = actor_of(caller, clinic, as_of=now)
        outcomes.record(session, patient, call.id, report, actor=actor, now=now)
        session.flush()
        made.append((call.due_on, caller, on_duty == current.caller_id))

    assert {caller.id for _on, caller, _own in made} == set(by_id)
    assert not any(is_own for _on, caller, is_own in made if caller is stand_in)
    assert all(is_own for _on, caller, is_own in made if caller is not stand_in)
    stored = session.scalars(select(Attempt).order_by(Attempt.at))
    assert [each.is_primary_caller for each in stored] == [is_own for _on, _caller, is_own in made]
    scope = Scope(0, everything=True, clinic_ids=frozenset())
    here = Here.of(scope, clinic, now=now)
    for from_on, until_on in combinations_with_replacement(sorted({on for on, *_ in made}), 2):
        period = Period(from_on, until_on)
        total = adherence.report(session, here.about(period)).total
        within = [is_own for on, _caller, is_own in made if on in period]
        assert (total.completed_by_primary, total.completed) == (sum(within), len(within))


def test_a_call_begun_by_its_own_caller_stays_theirs_when_the_patient_changes_hands(
    session: Session,
) -> None:
    clinic = make_clinic(session)
    own, new = (make_staff(session, clinic) for _each in range(2))
    patient = make_patient(session, clinic)
    enrolment = make_enrolment(session, patient, caller=own, starts_on=FIRST)
    call = make_planned_call(session, enrolment, FIRST)
    began_at = call.dial_from_at + timedelta(minutes=5)
    handed_over_at, saved_at = began_at + timedelta(minutes=3), began_at + timedelta(minutes=40)
    caller = actor_of(own, clinic, as_of=began_at)
    assert leases.take(session, call, caller, now=began_at)
    leases.start(session, call, caller, now=began_at)
    current = assignment.current_membership(session, enrolment.id)
    assert current is not None
    handover = Handover(current.id, new.id, ChangeReason.PATIENT_ASKED, "Asked.")
    assignment.change_caller(
        session, enrolment.id, handover, by_staff_id=new.id, now=handed_over_at
    )

    report = CallReport("late", Outcome.COMPLETED, 12)
    kept = outcomes.record(session, patient, call.id, report, actor=caller, now=saved_at)

    assert kept.is_primary_caller


def test_a_call_after_the_hand_over_is_not_the_former_callers_own(session: Session) -> None:
    clinic = make_clinic(session)
    own, new = (make_staff(session, clinic) for _each in range(2))
    patient = make_patient(session, clinic)
    enrolment = make_enrolment(session, patient, caller=own, starts_on=FIRST)
    call = make_planned_call(session, enrolment, FIRST)
    handed_over_at = call.dial_from_at
    current = assignment.current_membership(session, enrolment.id)
    assert current is not None
    handover = Handover(current.id, new.id, ChangeReason.PATIENT_ASKED, "Asked.")
    assignment.change_caller(
        session, enrolment.id, handover, by_staff_id=new.id, now=handed_over_at
    )

    saved_at = handed_over_at + timedelta(minutes=20)
    report = CallReport("after", Outcome.COMPLETED, 12)
    caller = actor_of(own, clinic, as_of=saved_at)
    kept = outcomes.record(session, patient, call.id, report, actor=caller, now=saved_at)

    assert not kept.is_primary_caller
