"""The plan as a tutorial writes it: objects, a few look-ups and a commit for each patient.

By the rule of the product. What all patients share, hours and programme, is read once.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach import orm
from outreach.panels.models import PanelMembership
from outreach.patients import hours
from outreach.patients.hours import HoursBook
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import WEEK, Calendar, CallStatus, Contact, Course, next_contact
from outreach.programmes import protocol as protocols
from outreach.programmes.models import CadenceChoice, Enrolment
from outreach.programmes.rules import Protocol
from scripts.benches.plan_rows import NOW

SAMPLE = 1_500


def seconds_for(address: str, enrolments: int) -> float:
    """Plan for some of ``enrolments``; return what all of them would take at that rate."""
    engine = orm.make_engine(address)
    sessions = orm.make_sessions(engine)
    with orm.reading(), sessions() as session:
        book = hours.book_of(session, today=NOW.date())
        protocol = protocols.newest_version(session, now=NOW).protocol
    ids = range(1, enrolments + 1, max(1, enrolments // SAMPLE))
    began = time.perf_counter()
    for each in ids:
        with sessions.begin() as session:
            _plan(session, session.get_one(Enrolment, each), book, protocol)
    spent = time.perf_counter() - began
    engine.dispose()
    return spent / len(ids) * enrolments


def _plan(session: Session, enrolment: Enrolment, book: HoursBook, protocol: Protocol) -> None:
    patient = session.get_one(Patient, enrolment.patient_id)
    mine = PanelMembership.enrolment_id == enrolment.id
    caller = session.scalar(select(PanelMembership).where(mine, PanelMembership.until_at.is_(None)))
    calls = session.scalars(
        select(PlannedCall)
        .where(PlannedCall.enrolment_id == enrolment.id)
        .order_by(PlannedCall.sequence)
    ).all()
    if caller is None or any(call.is_open for call in calls):
        return
    course = _course(session, enrolment, patient, calls, book, protocol)
    contact = next_contact(course, now=NOW)
    if contact is not None:
        session.add(_call(enrolment, calls, contact, now=NOW))


def _course(
    session: Session,
    enrolment: Enrolment,
    patient: Patient,
    calls: Sequence[PlannedCall],
    book: HoursBook,
    protocol: Protocol,
) -> Course:
    chosen = session.scalars(
        select(CadenceChoice)
        .where(CadenceChoice.enrolment_id == enrolment.id)
        .order_by(CadenceChoice.id)
    )
    last_on = calls[-1].due_on
    begins = last_on - timedelta(days=(last_on - enrolment.starts_on).days % WEEK)
    usual = book.of(patient.clinic_id, patient.state)
    return Course(
        protocol,
        enrolment.starts_on,
        {each.phase: each.value for each in chosen},
        Calendar(ZoneInfo(patient.zone), patient.wishes, usual),
        last_on,
        sum(call.due_on >= begins for call in calls),
    )


def _call(
    enrolment: Enrolment, calls: Sequence[PlannedCall], contact: Contact, *, now: datetime
) -> PlannedCall:
    due, slot = contact.due, contact.slot
    return PlannedCall(
        clinic_id=enrolment.clinic_id,
        patient_id=enrolment.patient_id,
        enrolment_id=enrolment.id,
        sequence=calls[-1].sequence + 1,
        phase=due.phase,
        due_on=due.on,
        complete_by_on=due.complete_by_on,
        dial_from_at=slot.from_at,
        dial_until_at=slot.until_at,
        is_agreed=False,
        dials=0,
        status=CallStatus.PLANNED,
        planned_at=now,
        version_id=enrolment.version_id,
    )
