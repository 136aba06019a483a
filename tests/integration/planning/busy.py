"""A clinic in which every job of the plan finds something to do, and what can be seen of it."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, SignInFailure, StaffMember
from outreach.accounts.rules import Actor, Role, Scope
from outreach.audit import trail
from outreach.audit.models import AuditEvent, AuditLink
from outreach.calls.models import Attempt, CallNote, Promise
from outreach.calls.rules import Outcome
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind
from outreach.measures.models import Reading
from outreach.messaging import setting
from outreach.messaging.models import Message, UnrecordedText
from outreach.messaging.rules import MessageKind
from outreach.orm import Model, Sessions
from outreach.panels import proposals
from outreach.panels.models import CallerProfile, PanelMembership, Proposal, Shift
from outreach.patient_list.models import KeptSearch
from outreach.patients import consent
from outreach.patients.models import Anonymised, Patient
from outreach.patients.rules import TOPICS, Channel, ConsentSource
from outreach.planning.models import FollowUp, PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment, EnrolmentEvent, Programme, ProgrammeVersion
from outreach.programmes.rules import PUBLISHED_PROTOCOL, EnrolmentStatus
from outreach.pulse.models import PulseAnswer, SupportRequest
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from outreach.questionnaires.rules import InstrumentCode
from outreach.reports.models import (
    DayCount,
    DialCount,
    RolledClinic,
    TouchedDays,
    TouchedEnrolment,
    WeekCount,
)
from outreach.retention.models import RetentionSetting
from outreach.searching import index
from outreach.searching.models import (
    DirectoryChange,
    DirectoryPage,
    SearchBacklog,
    SearchEntry,
)
from outreach.typed.models import TypedForm
from tests.builders import (
    LONG_AGO,
    actor_of,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.telephones import keep_in_clear, work_phones_as_kept

TODAY = date(2026, 11, 23)
_ALL = Scope(0, everything=True, clinic_ids=frozenset())
_WEEKLY = (MessageKind.DIGEST, MessageKind.DIGEST_EMAIL)
# Keys are handed out by the database, which leaves gaps where a transaction was undone.
_KEYS = {"id", "object_id", "planned_call_id", "attempt_id", "cause", "dedupe_key", "source_id"}
# Drawn by chance, and what is encrypted under it.
_DRAWN = {"version", "token", "names"}
_SEEN: tuple[type[Model], ...] = (
    PlannedCall,
    Enrolment,
    PanelMembership,
    Message,
    Attempt,
    CallNote,
    Promise,
    AuditEvent,
    AuditLink,
    Clinic,
    Proposal,
    FollowUp,
    EnrolmentEvent,
    CallerProfile,
    Patient,
    KeptSearch,
    TypedForm,
    SearchBacklog,
    SearchEntry,
    DirectoryPage,
    DirectoryChange,
    SignInFailure,
    ImportRun,
    UnrecordedText,
    PulseAnswer,
    Anonymised,
    DayCount,
    DialCount,
    WeekCount,
    RolledClinic,
    TouchedDays,
    TouchedEnrolment,
    BegunQuestionnaire,
    Questionnaire,
    Reading,
)


@dataclass(frozen=True)
class Busy:
    """Who is there, by what happens to them."""

    clinic: Clinic
    manager: StaffMember
    actor: Actor
    patient: Patient
    call_id: int
    proposal_id: int


def fill(sessions: Sessions, *, now: datetime) -> Busy:
    """Write the clinic: calls missing, overdue, over, overtaken, to remind of, to record."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER)
        caller = make_staff(session, clinic)
        _without_a_call(session, clinic, caller)
        _overdue(session, clinic, caller, now=now)
        _ahead(session, clinic, caller, now=now)
        _resting_and_silent(session, clinic, caller)
        _outside_the_hours(session, clinic, caller, now=now)
        _off_their_callers_days(session, clinic, now=now)
        _to_measure(session, clinic, caller, now=now)
        _searched(session, clinic, manager, now=now)
        _broken_off(session, clinic, caller, now=now)
        _long_over(session, clinic, manager, now=now)
        _asks_for_support(session, now=now)
        setting.choose(session, _ALL, clinic.id, _WEEKLY, by_staff_id=manager.id, now=now)
        keep_in_clear(session, caller)
        trail.record(session, "opened the clinic", actor_id=manager.id, now=now)
        patient = make_patient(session, clinic, sms_consent=True, phone="+15125550199")
        enrolment = make_enrolment(session, patient, caller=caller)
        call = make_planned_call(session, enrolment, version_id=enrolment.version_id)
        for _waits in range(3):
            make_enrolment(session, make_patient(session, clinic))
        proposal = proposals.make(session, clinic, by_staff_id=manager.id, now=now)
        return Busy(clinic, manager, actor_of(caller, clinic), patient, call.id, proposal.id)


def seen(sessions: Sessions) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row that the plan is made of, without the keys the database hands out."""
    with sessions() as session:
        phones = {"work phones": work_phones_as_kept(session)}
        return {model.__tablename__: _rows(session, model) for model in _SEEN} | phones


def _rows(session: Session, model: type[Model]) -> list[tuple[Any, ...]]:
    columns = [each for each in model.__table__.columns if each.name not in _KEYS | _DRAWN]
    rows = session.execute(select(*columns))
    return sorted((tuple(map(_without_chance, row)) for row in rows), key=repr)


def _without_chance(value: Any) -> Any:
    """Return a value without what is drawn anew each time: the number of who was anonymised."""
    return re.sub(r"^removed-[0-9a-f]{16}$", "removed", value) if isinstance(value, str) else value


def _without_a_call(session: Session, clinic: Clinic, caller: StaffMember) -> None:
    for _new in range(2):
        make_enrolment(session, make_patient(session, clinic), caller=caller)
    over = TODAY - timedelta(weeks=26)
    make_enrolment(session, make_patient(session, clinic), caller=caller, starts_on=over)


def _overdue(session: Session, clinic: Clinic, caller: StaffMember, *, now: datetime) -> None:
    """Add calls whose slot is over: to be moved, missed, given up, or of somebody who left."""
    passed = {"dial_from_at": now - timedelta(hours=5), "dial_until_at": now - timedelta(hours=1)}
    yesterday = TODAY - timedelta(days=1)
    for complete_by_on, dials, status in (
        (TODAY + timedelta(days=3), 0, EnrolmentStatus.ACTIVE),
        (yesterday, 0, EnrolmentStatus.ACTIVE),
        (TODAY + timedelta(days=3), 3, EnrolmentStatus.ACTIVE),
        (TODAY + timedelta(days=3), 0, EnrolmentStatus.PAUSED),
    ):
        enrolment = make_enrolment(
            session,
            make_patient(session, clinic),
            caller=caller,
            starts_on=TODAY - timedelta(weeks=3),
            status=status,
        )
        call = make_planned_call(
            session,
            enrolment,
            yesterday,
            complete_by_on=complete_by_on,
            dials=dials,
            version_id=enrolment.version_id,
            phase="weeks_2_to_4",
            **passed,
        )
        for _dial in range(dials):
            make_attempt(session, call, caller, Outcome.NO_ANSWER)


def _ahead(session: Session, clinic: Clinic, caller: StaffMember, *, now: datetime) -> None:
    """Add calls that a newer version overtook, and calls whose reminder is due."""
    for number in range(4):
        patient = make_patient(session, clinic, sms_consent=True, phone=f"+1512555010{number}")
        starts_on = TODAY - timedelta(weeks=6)
        enrolment = make_enrolment(session, patient, caller=caller, starts_on=starts_on)
        before = make_planned_call(
            session, enrolment, TODAY - timedelta(days=6), status=CallStatus.COMPLETED
        )
        before.closed_at = before.dial_from_at
        make_attempt(session, before, caller)
        make_planned_call(
            session,
            enrolment,
            TODAY + timedelta(days=1),
            phase="weeks_5_to_26",
            complete_by_on=TODAY + timedelta(days=3),
            version_id=enrolment.version_id,
        )
        if number % 2:
            enrolment.version_id = _newer(session, enrolment.version_id, now=now)
    session.flush()


def _resting_and_silent(session: Session, clinic: Clinic, caller: StaffMember) -> None:
    """Add pauses that begin and end today, and somebody silent for weeks."""
    weeks = timedelta(weeks=6)
    for status, rest in (
        (EnrolmentStatus.PAUSED, {"resume_on": TODAY}),
        (EnrolmentStatus.ACTIVE, {"away_from_on": TODAY, "away_until_on": TODAY + weeks}),
        (EnrolmentStatus.ACTIVE, {}),
    ):
        enrolment = make_enrolment(
            session,
            make_patient(session, clinic),
            caller=caller,
            starts_on=TODAY - weeks,
            status=status,
            **rest,
        )
        missed_on = TODAY - timedelta(days=3)
        make_planned_call(
            session, enrolment, missed_on, status=CallStatus.MISSED, phase="weeks_5_to_26"
        )


def _outside_the_hours(
    session: Session, clinic: Clinic, caller: StaffMember, *, now: datetime
) -> None:
    """Change the hours after a call was planned for the night."""
    clinic.hours_changed_at = now
    tonight = datetime.combine(TODAY + timedelta(days=1), time(4, 30), tzinfo=UTC)
    enrolment = make_enrolment(session, make_patient(session, clinic), caller=caller)
    make_planned_call(
        session,
        enrolment,
        complete_by_on=TODAY + timedelta(days=2),
        dial_from_at=tonight,
        dial_until_at=tonight + timedelta(hours=1),
        version_id=enrolment.version_id,
    )


def _off_their_callers_days(session: Session, clinic: Clinic, *, now: datetime) -> None:
    """Let a caller work on Fridays only after a call was planned for Thursday."""
    caller = make_staff(session, clinic)
    session.get_one(CallerProfile, caller.id).days_changed_at = now
    session.add(Shift(staff_id=caller.id, weekday=4, begins=time(9), ends=time(17)))
    enrolment = make_enrolment(
        session,
        make_patient(session, clinic),
        caller=caller,
        starts_on=TODAY - timedelta(weeks=10),
    )
    make_planned_call(
        session,
        enrolment,
        TODAY + timedelta(days=3),
        phase="weeks_5_to_26",
        complete_by_on=TODAY + timedelta(days=8),
        version_id=enrolment.version_id,
    )


def _asks_for_support(session: Session, *, now: datetime) -> None:
    """Add a clinic where a caller wants to talk to the manager."""
    clinic = make_clinic(session)
    make_staff(session, clinic, Role.MANAGER, phone="+12025550166")
    session.add(SupportRequest(staff_id=make_staff(session, clinic).id, asked_at=now))


def _to_measure(session: Session, clinic: Clinic, caller: StaffMember, *, now: datetime) -> None:
    """Add somebody whom their programme tells that it is time to measure."""
    programme = Programme(code="told", name="Told when to measure")
    session.add(programme)
    session.flush()
    data = replace(PUBLISHED_PROTOCOL, measure_lead_days=7).as_data()
    told = ProgrammeVersion(programme_id=programme.id, number=1, data=data, created_at=now, note="")
    session.add(told)
    session.flush()
    phone = "+15125550188"
    patient = make_patient(session, clinic, phone=phone)
    topics = frozenset(TOPICS[Channel.SMS])
    consent.agree(
        session, patient, phone, topics, source=ConsentSource.FORM, by_staff_id=None, now=LONG_AGO
    )
    make_enrolment(session, patient, caller=caller, version_id=told.id)


def _broken_off(session: Session, clinic: Clinic, caller: StaffMember, *, now: datetime) -> None:
    """Add a questionnaire that was asked to its end the day before and never scored."""
    patient = make_patient(session, clinic)
    session.add(
        BegunQuestionnaire(
            clinic_id=clinic.id,
            patient_id=patient.id,
            code=InstrumentCode.PHQ_2,
            form_key="left",
            answers={"1": 2, "2": 0},
            is_told=False,
            at=now - timedelta(days=1),
            by_staff_id=caller.id,
        )
    )


def _searched(session: Session, clinic: Clinic, person: StaffMember, *, now: datetime) -> None:
    """Add what was typed to search long ago, and what is not in the index yet."""
    session.add_all(
        [
            KeptSearch(token="old", staff_id=person.id, text="garden", is_either=False,
                       has_notes=False, at=now - timedelta(days=2)),
            TypedForm(staff_id=person.id, place="/goals/1", fields=[], at=now - timedelta(days=4)),
        ]
    )  # fmt: skip
    over = make_enrolment(session, make_patient(session, clinic), status=EnrolmentStatus.COMPLETED)
    call = make_planned_call(session, over, status=CallStatus.COMPLETED, version_id=over.version_id)
    make_attempt(session, call, person, note="The garden, and her knee")
    index.rebuild(session)


def _long_over(session: Session, clinic: Clinic, person: StaffMember, *, now: datetime) -> None:
    """Add what is kept for some days only, and somebody who left ten years ago."""
    session.add_all(
        [
            ImportRun(
                clinic_id=clinic.id,
                by_staff_id=person.id,
                kind=FileKind.CSV,
                sha256="a" * 64,
                counts={},
                problems={"remarks": []},
                at=now - timedelta(weeks=6),
            ),
            PulseAnswer(
                staff_id=person.id,
                month=date(2024, 12, 1),
                answer="4",
                answered_at=now - timedelta(weeks=100),
            ),
            UnrecordedText(provider_id="SM1", to_number="+15125550177", body="See you soon.",
                           sent_at=now - timedelta(weeks=6)),
            SignInFailure(account_hash="a", address_hash="b", at=now - timedelta(weeks=5)),
            RetentionSetting(clinic_id=clinic.id, years=7, changed_at=LONG_AGO,
                             by_staff_id=person.id),
        ]
    )  # fmt: skip
    make_patient(session, clinic, created_at=now - timedelta(days=3653))


def _newer(session: Session, version_id: int, *, now: datetime) -> int:
    old = session.get_one(ProgrammeVersion, version_id)
    newest = session.scalars(
        select(ProgrammeVersion)
        .where(ProgrammeVersion.programme_id == old.programme_id)
        .order_by(ProgrammeVersion.number.desc())
    ).first()
    assert newest is not None
    if newest.number == old.number:
        newest = ProgrammeVersion(
            programme_id=old.programme_id,
            number=old.number + 1,
            data=old.data,
            created_at=now,
            note="",
        )
        session.add(newest)
        session.flush()
    return newest.id
