"""Valid rows for tests; each keyword in a test is a deviation worth reading."""

import itertools
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Language, Membership, StaffMember
from outreach.accounts.rules import Actor, Held, Role
from outreach.calls.models import Attempt, CallNote, Promise
from outreach.calls.rules import Outcome
from outreach.concerns.models import OnCallWeek
from outreach.concerns.rules import OnCallRank
from outreach.goals.models import Goal
from outreach.goals.rules import GoalArea
from outreach.measures.models import Reading
from outreach.measures.rules import REGISTRY, MeasureKind, ReadingSource
from outreach.panels.models import Absence, CallerProfile, Cover, PanelMembership
from outreach.panels.rules import ChangeReason
from outreach.patients import consent, registry
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, NumberHealth, Sex, mask_of_weekdays
from outreach.planning.models import PlannedCall
from outreach.programmes import protocol
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests import rows

PASSWORD = "correct horse battery"
LONG_AGO = rows.LONG_AGO
_counter = itertools.count(1)


def letters_of(number: int) -> str:  # a test that looks for 45 would find it in "Clinic 4525"
    return "".join(chr(ord("A") + number // 26**place % 26) for place in (3, 2, 1, 0))


def make_clinic(session: Session, **deviations: Any) -> Clinic:
    number = next(_counter)
    clinic = Clinic(
        **{
            "code": f"C{number}",
            "name": f"Clinic {letters_of(number)}",
            "zone": "America/Chicago",
            "region": "US",
            "phone_number": "+15125550100",
            "opens": time(9),
            "closes": time(20),
            "glucose_unit": "mg/dL",
        }
        | deviations
    )
    session.add(clinic)
    session.flush()
    return clinic


def make_staff(
    session: Session,
    clinic: Clinic | None,
    role: Role = Role.CALLER,
    *,
    languages: tuple[str, ...] = ("en",),
    password_hash: str = "unusable",
    **deviations: Any,
) -> StaffMember:
    number = next(_counter)
    person = StaffMember(
        **{
            "email": f"{role.value}{number}@example.org",
            "name": f"{role.value.title()} {letters_of(number)}",
            "locale": "en",
            "zone": clinic.zone if clinic else "UTC",
            "password_hash": password_hash,
            "has_shortcuts": True,
            "is_active": True,
            "created_at": LONG_AGO,
        }
        | deviations
    )
    session.add(person)
    session.flush()
    session.add(
        Membership(
            staff_id=person.id,
            clinic_id=clinic.id if clinic else None,
            role=role,
            from_on=LONG_AGO.date(),
        )
    )
    session.add_all(Language(staff_id=person.id, language=each) for each in languages)
    if role is Role.CALLER:
        session.add(CallerProfile(staff_id=person.id, panel_cap=20, trained_on=LONG_AGO.date()))
    session.flush()
    return person


def make_on_call(
    session: Session,
    clinic: Clinic,
    person: StaffMember | None = None,
    rank: OnCallRank = OnCallRank.FIRST,
    **deviations: Any,
) -> StaffMember:
    """Put ``person``, or a new nurse, on call every day and night; return who it is."""
    person = person or make_staff(session, clinic, Role.NURSE)
    session.add(
        OnCallWeek(
            **{
                "clinic_id": clinic.id,
                "staff_id": person.id,
                "rank": rank,
                "weekdays": mask_of_weekdays(range(7)),
                "begins": time(0),
                "ends": time(0),
                "from_on": LONG_AGO.date(),
            }
            | deviations
        )
    )
    session.flush()
    return person


def actor_of(
    person: StaffMember,
    clinic: Clinic | None,
    role: Role = Role.CALLER,
    *,
    as_of: datetime = LONG_AGO,
) -> Actor:
    held = (Held(role, clinic.id if clinic else None),)
    return Actor(person.id, person.name, person.locale, person.zone, held, as_of)


def make_patient(
    session: Session,
    clinic: Clinic,
    *,
    phone: str | None = "+15125550147",
    sms_consent: bool = False,
    **deviations: Any,
) -> Patient:
    number = next(_counter)
    patient = Patient(
        **{
            "ref": registry.new_ref(),
            "clinic_id": clinic.id,
            "record_number": f"R{number:05d}",
            "given_name": "Rosa",
            "family_name": f"Nguyen {letters_of(number)}",
            "date_of_birth": date(1970, 2, 3),
            "sex": Sex.FEMALE,
            "language": "en",
            "zone": "America/Chicago",
            "weekdays": 0,
            "dayparts": [],
            "is_voicemail_allowed": True,
            "about": "",
            "created_at": LONG_AGO,
        }
        | deviations
    )
    session.add(patient)
    session.flush()
    if phone:
        session.add(
            PhoneNumber(
                clinic_id=clinic.id,
                patient_id=patient.id,
                e164=phone,
                position=1,
                health=NumberHealth.WORKING,
                health_at=LONG_AGO,
            )
        )
    if phone and sms_consent:
        consent.note(
            session,
            patient,
            Channel.SMS,
            phone,
            is_given=True,
            source=ConsentSource.FORM,
            by_staff_id=None,
            now=LONG_AGO,
        )
    session.flush()
    return patient


def make_enrolment(
    session: Session,
    patient: Patient,
    *,
    caller: StaffMember | None = None,
    starts_on: date = date(2026, 11, 23),
    **deviations: Any,
) -> Enrolment:
    enrolment = Enrolment(
        **{
            "clinic_id": patient.clinic_id,
            "patient_id": patient.id,
            "version_id": protocol.newest_version(session, now=LONG_AGO).id,
            "starts_on": starts_on,
            "status": EnrolmentStatus.ACTIVE,
            "status_at": LONG_AGO,
            "status_reason": "",
            "enrolled_at": datetime.combine(starts_on, time(15), tzinfo=UTC),
        }
        | deviations
    )
    session.add(enrolment)
    session.flush()
    if caller:
        make_membership(session, enrolment, caller)
    return enrolment


def make_membership(
    session: Session, enrolment: Enrolment, caller: StaffMember, **deviations: Any
) -> PanelMembership:
    membership = PanelMembership(
        **{
            "clinic_id": enrolment.clinic_id,
            "patient_id": enrolment.patient_id,
            "enrolment_id": enrolment.id,
            "caller_id": caller.id,
            "from_at": enrolment.enrolled_at,
            "reason": ChangeReason.ENROLLED,
            "note": "",
        }
        | deviations
    )
    session.add(membership)
    session.flush()
    return membership


def make_planned_call(
    session: Session, enrolment: Enrolment, due_on: date = date(2026, 11, 23), **deviations: Any
) -> PlannedCall:
    """A call due on ``due_on``, to be dialled between 9:00 and 12:00 in Chicago (winter)."""
    last = session.scalar(
        select(func.max(PlannedCall.sequence)).where(PlannedCall.enrolment_id == enrolment.id)
    )
    sequence = deviations.pop("sequence", (last or 0) + 1)
    planned = rows.planned_call(enrolment, sequence, due_on, **deviations)
    session.add(planned)
    session.flush()
    return planned


def make_attempt(
    session: Session,
    planned: PlannedCall,
    caller: StaffMember,
    outcome: Outcome = Outcome.COMPLETED,
    *,
    note: str = "",
    **deviations: Any,
) -> Attempt:
    attempt = rows.dial(planned, caller, outcome, **deviations)
    session.add(attempt)
    session.flush()
    if note:
        session.add(
            CallNote(
                clinic_id=planned.clinic_id,
                patient_id=planned.patient_id,
                attempt_id=attempt.id,
                by_staff_id=caller.id,
                text=note,
                at=attempt.at,
            )
        )
        session.flush()
    return attempt


def make_promise(session: Session, patient: Patient, by: StaffMember, **deviations: Any) -> Promise:
    promise = Promise(
        **{
            "clinic_id": patient.clinic_id,
            "patient_id": patient.id,
            "by_staff_id": by.id,
            "text": "Ask how the dentist went",
            "made_at": LONG_AGO,
        }
        | deviations
    )
    session.add(promise)
    session.flush()
    return promise


def make_goal(session: Session, patient: Patient, by: StaffMember, **deviations: Any) -> Goal:
    goal = Goal(**goal_row(patient, by) | deviations)
    session.add(goal)
    session.flush()
    return goal


def goal_row(patient: Patient, by: StaffMember) -> dict[str, Any]:
    return {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "area": GoalArea.EXERCISE,
        "text": "Walk to the church",
        "set_at": LONG_AGO,
        "set_by_id": by.id,
    }


def make_reading(
    session: Session,
    patient: Patient,
    kind: MeasureKind = MeasureKind.HBA1C,
    value: str = "9.8",
    **deviations: Any,
) -> Reading:
    reading = Reading(
        **{
            "clinic_id": patient.clinic_id,
            "patient_id": patient.id,
            "kind": kind,
            "value": Decimal(value),
            "entered_value": value,
            "entered_unit": REGISTRY[kind].unit,
            "taken_at": LONG_AGO,
            "is_time_known": True,
            "recorded_at": LONG_AGO,
            "source": ReadingSource.STAFF,
        }
        | deviations
    )
    session.add(reading)
    session.flush()
    return reading


def make_absence(
    session: Session, caller: StaffMember, clinic_id: int, **deviations: Any
) -> Absence:
    """``caller`` is away from Monday 23 to Friday 27 November 2026, in Chicago."""
    absence = Absence(
        **{
            "clinic_id": clinic_id,
            "staff_id": caller.id,
            "from_at": datetime(2026, 11, 23, 6, tzinfo=UTC),
            "until_at": datetime(2026, 11, 28, 6, tzinfo=UTC),
            "reason": "",
            "by_staff_id": caller.id,
            "created_at": LONG_AGO,
        }
        | deviations
    )
    session.add(absence)
    session.flush()
    return absence


def make_cover(
    session: Session,
    absence: Absence,
    enrolment: Enrolment,
    stand_in: StaffMember,
    **deviations: Any,
) -> Cover:
    cover = Cover(
        **{
            "clinic_id": enrolment.clinic_id,
            "patient_id": enrolment.patient_id,
            "enrolment_id": enrolment.id,
            "absence_id": absence.id,
            "stand_in_id": stand_in.id,
            "from_at": absence.from_at,
            "until_at": absence.until_at,
            "note": "",
            "by_staff_id": stand_in.id,
            "created_at": LONG_AGO,
        }
        | deviations
    )
    session.add(cover)
    session.flush()
    return cover
