"""Clinics' worth of rows for the queue page, as many as asked for, written in bulk."""

from datetime import date, datetime, time, timedelta
from itertools import count

from outreach import orm
from outreach.accounts.models import Clinic, Language, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.calls import last_talk
from outreach.calls.models import Attempt, CallNote, Promise
from outreach.calls.rules import Outcome
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.panels.rules import DEFAULT_PANEL_CAP, ChangeReason
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import NumberHealth, Sex
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes import protocol
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from scripts.demo.rows import Rows
from scripts.demo.words import GENERAL
from scripts.phone_numbers import number_of

# A Monday, 10 in the morning in Chicago, in winter: 6 hours behind.
NOW = datetime.fromisoformat("2026-11-23T16:00:00+00:00")
TODAY = NOW.date()
ZONE = "America/Chicago"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that last a minute
SMALL, USUAL, LARGE = 3, 28, 30
PAST_CALLS = 3
CHUNK = 200  # panels that are written at once
CLINIC_PATIENTS = 20_000  # of each clinic: one of a million would have a day of none


def email_of(size: int) -> str:
    """Return the address of the caller whose panel has ``size`` patients and was made first."""
    return f"caller.of.{size}@bench.example"


def fill(address: str, patients: int, password_hash: str) -> dict[int, int]:
    """Write panels until there are ``patients``; return caller ids by size of panel.

    Callers of 3 and 30 patients come first, all others have the usual 28. A clinic that has
    CLINIC_PATIENTS is followed by another.
    """
    engine = orm.make_engine(address)
    sessions = orm.make_sessions(engine)
    numbers, callers = count(1), dict[int, int]()
    with sessions.begin() as session:
        version_id = protocol.newest_version(session, now=NOW).id
        rows = Rows(session)
        clinic_ids = list[int]()
        for at, size in enumerate(_sizes(patients)):
            if at * USUAL >= len(clinic_ids) * CLINIC_PATIENTS:
                clinic_ids.append(_clinic(rows, len(clinic_ids)))
            clinic_id = clinic_ids[-1]
            email = email_of(size) if size not in callers else f"caller.{at}@bench.example"
            caller_id = _caller(rows, clinic_id, email, password_hash)
            callers.setdefault(size, caller_id)
            for _patient in range(size):
                _patient_rows(rows, next(numbers), (clinic_id, caller_id, version_id))
            if at % CHUNK == 0:
                rows.write()
        rows.write()
    with sessions.begin() as session:
        last_talk.rebuild(session)  # as the product keeps it, which was written past
        session.connection().exec_driver_sql("ANALYZE")  # as the database does within minutes
    engine.dispose()
    return callers


def _sizes(patients: int) -> list[int]:
    usual = max(1, (patients - SMALL - LARGE) // USUAL)
    return [SMALL, LARGE, *[USUAL] * usual]


def _clinic(rows: Rows, number: int) -> int:
    return rows.add(
        Clinic,
        code=f"BENCH{number or ''}",
        name=f"Bench {number or ''}".strip(),
        zone=ZONE,
        region="US",
        phone_number=f"+1202555{100 + number:04d}",
        sms_sender=None,
        opens=time(9),
        closes=time(20),
        glucose_unit="mg/dL",
    )


def _caller(rows: Rows, clinic_id: int, email: str, password_hash: str) -> int:
    caller_id = rows.add(
        StaffMember,
        email=email,
        name="Pat Caller",
        locale="en",
        zone=ZONE,
        password_hash=password_hash,
        has_shortcuts=True,
        is_active=True,
        created_at=NOW,
    )
    rows.add(
        Membership,
        staff_id=caller_id,
        clinic_id=clinic_id,
        role=Role.CALLER,
        from_on=TODAY,
        until_on=None,
    )
    rows.add(Language, staff_id=caller_id, language="en")
    rows.add(CallerProfile, staff_id=caller_id, panel_cap=DEFAULT_PANEL_CAP)
    return caller_id


def _patient_rows(rows: Rows, number: int, belongs: tuple[int, int, int]) -> None:
    """Add one patient in week 8 with a call today, three in the past, and a promise."""
    clinic_id, caller_id, version_id = belongs
    patient_id = rows.add(
        Patient,
        ref=f"{number:016x}",
        clinic_id=clinic_id,
        record_number=f"B{number}",
        given_name="Rosa",
        family_name=f"Nguyen {number}",
        preferred_name=None,
        pronouns=None,
        date_of_birth=date(1970, 2, 3),
        sex=Sex.FEMALE,
        language="en",
        zone=ZONE,
        weekdays=0,
        dayparts=["morning"],
        is_voicemail_allowed=True,
        about="",
        created_at=NOW,
    )
    owned = {"clinic_id": clinic_id, "patient_id": patient_id}
    rows.add(
        PhoneNumber,
        **owned,
        e164=number_of(number),
        position=1,
        health=NumberHealth.WORKING,
        can_text=True,
        health_at=NOW,
    )
    enrolment_id = rows.add(
        Enrolment,
        **owned,
        version_id=version_id,
        starts_on=TODAY - timedelta(weeks=8),
        status=EnrolmentStatus.ACTIVE,
        status_at=NOW,
        status_reason="",
        enrolled_at=NOW - timedelta(weeks=8),
    )
    rows.add(
        PanelMembership,
        **owned,
        enrolment_id=enrolment_id,
        caller_id=caller_id,
        from_at=NOW - timedelta(weeks=8),
        until_at=None,
        reason=ChangeReason.ENROLLED,
        note="",
        by_staff_id=None,
    )
    for weeks_ago in range(PAST_CALLS, -1, -1):
        owned_call = owned | {"enrolment_id": enrolment_id}
        _call_rows(rows, owned_call, (caller_id, version_id), weeks_ago, number)


def _call_rows(
    rows: Rows, owned: dict[str, int], belongs: tuple[int, int], weeks_ago: int, number: int
) -> None:
    """Add the call of some week: completed and noted, or today's, which every third knows."""
    caller_id, version_id = belongs
    due_on = TODAY - timedelta(weeks=weeks_ago)
    opens = NOW.replace(hour=15) - timedelta(weeks=weeks_ago)
    is_open, was_tried = weeks_ago == 0, number % 3 == 0
    call_id = rows.add(
        PlannedCall,
        **owned,
        version_id=version_id,
        sequence=PAST_CALLS - weeks_ago + 1,
        phase="weeks_5_to_26",
        due_on=due_on,
        complete_by_on=due_on + timedelta(days=6),
        dial_from_at=opens,
        dial_until_at=opens + timedelta(hours=3 + number % 8),
        is_agreed=False,
        dials=int(not is_open or was_tried),
        status=CallStatus.PLANNED if is_open else CallStatus.COMPLETED,
        planned_at=opens - timedelta(days=7),
        closed_at=None if is_open else opens,
    )
    if is_open and not was_tried:
        return
    # A try of this morning would also stand among what was done today, on ours alone.
    at = opens - timedelta(days=1) if is_open else opens
    attempt_id = rows.add(
        Attempt,
        **owned,
        form_key=f"bench-{call_id}",
        planned_call_id=call_id,
        caller_id=caller_id,
        is_primary_caller=True,
        at=at,
        minutes=0 if is_open else 11,
        outcome=Outcome.NO_ANSWER if is_open else Outcome.COMPLETED,
    )
    person = {"clinic_id": owned["clinic_id"], "patient_id": owned["patient_id"]}
    said_by = {"attempt_id": attempt_id, "by_staff_id": caller_id}
    if not is_open:
        rows.add(CallNote, **person, **said_by, text=GENERAL[number % len(GENERAL)], at=at)
    if weeks_ago == 1:
        rows.add(
            Promise,
            **person,
            **said_by,
            text="Ask how the interview went",
            due_on=TODAY,
            made_at=at,
            kept_at=None,
            kept_by_id=None,
        )
