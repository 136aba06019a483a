"""Reminders before planned calls, for those who agreed to texts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.messaging import outbox, templates
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, SkipReason
from outreach.orm import row_failed
from outreach.panels import duty
from outreach.patients import consent, hours, registry
from outreach.patients.hours import HoursBook
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import (
    Channel,
    latest_allowed_at,
    next_allowed_at,
)
from outreach.planning.models import PlannedCall
from outreach.planning.next_call import cause_of
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus
from outreach.web import phones
from outreach.wordings import keeping
from outreach.wordings.keeping import Book
from outreach.wordings.rules import TextName

log = logging.getLogger(__name__)

# Leads are a day or two; a Sunday and a holiday may lie before the call.
FARTHEST = timedelta(days=5)


@dataclass(frozen=True)
class Batch:
    """The texts of one batch of calls, and the call after which the next batch begins."""

    messages: Sequence[dict[str, object]]
    last: tuple[datetime, int] | None


def due(
    session: Session,
    *,
    now: datetime,
    after: tuple[datetime, int] | None = None,
    limit: int = 500,
) -> Batch:
    """Return the reminders whose time has come, for one batch of calls; reads only.

    One per planned call and time, whatever is restarted: the message's key holds both. It
    is due the programme's lead time before the call, or at the last contact hour before
    that, and there is one only where it can still arrive before the call.

    Args:
        after: (begin of slot, id) of the call that the batch before ended with.
    """
    rows = session.execute(_due(now, after or (now, 0), limit)).all()
    last = rows[-1].PlannedCall if len(rows) == limit else None
    books = hours.book_of(session, today=now.date()), keeping.book_of(session)
    return Batch(
        [message for row in rows if (message := _unless_broken(row, *books, now=now))],
        (last.dial_from_at, last.id) if last else None,
    )


def _unless_broken(
    row: Row[*tuple[Any, ...]], book: HoursBook, words: Book, *, now: datetime
) -> dict[str, object] | None:
    """Return the message of a row; a row that can't be read never stops the others."""
    try:
        return _message(row, book, words, now=now)
    except Exception:
        log.exception("no reminder for planned call %s", row.PlannedCall.id)
        row_failed(row.PlannedCall.id)
        return None


def _due(
    now: datetime, after: tuple[datetime, int], limit: int
) -> Select[PlannedCall, Patient, Clinic, str, ProgrammeVersion, str, int]:
    """Select calls to remind of, with patient, clinic, number, version and caller's name.

    ``dropped``: how many reminders of the call were dropped because it moved.
    """
    cause = cause_column(PlannedCall.id)
    dropped = select(func.count(Message.id)).where(
        Message.cause == cause,
        Message.kind == MessageKind.REMINDER,
        Message.skip_reason == SkipReason.CALL_CHANGED,
    )
    return (
        select(
            PlannedCall,
            Patient,
            Clinic,
            PhoneNumber.e164,
            ProgrammeVersion,
            StaffMember.name.label("caller_name"),
            dropped.scalar_subquery().label("dropped"),
        )
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .join(Clinic, Clinic.id == PlannedCall.clinic_id)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .join(ProgrammeVersion, ProgrammeVersion.id == Enrolment.version_id)
        .join(
            StaffMember,
            # Who will call: the stand-in where somebody is away then.
            StaffMember.id == duty.caller_on_duty(Enrolment.id, PlannedCall.dial_from_at),
        )
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .join(ConsentEvent, ConsentEvent.patient_id == Patient.id)
        .where(
            PlannedCall.is_open,
            or_(PlannedCall.dials == 0, PlannedCall.is_agreed.is_(True)),
            PlannedCall.dial_from_at > now,
            PlannedCall.dial_from_at <= now + FARTHEST,
            tuple_(PlannedCall.dial_from_at, PlannedCall.id) > after,
            Enrolment.status == EnrolmentStatus.ACTIVE,
            PhoneNumber.id == registry.working_number_id(),
            PhoneNumber.can_text.is_(True),
            ConsentEvent.number == PhoneNumber.e164,
            ConsentEvent.id == consent.newest_of(PhoneNumber, Channel.SMS),
            ConsentEvent.is_given.is_(True),
            # One text a call; a time that the patient asked for later deserves its own.
            ~exists().where(
                Message.cause == cause,
                Message.kind == MessageKind.REMINDER,
                Message.skip_reason.is_distinct_from(SkipReason.CALL_CHANGED),
                or_(
                    PlannedCall.is_agreed.is_(False),
                    Message.expires_at >= PlannedCall.dial_from_at,
                ),
            ),
        )
        .order_by(PlannedCall.dial_from_at, PlannedCall.id)
        .limit(limit)
    )


def cause_column(row_id: Any, kind: str = "planned_call:") -> ColumnElement[str]:
    """Return under what the texts about a row stand in the outbox, in SQL."""
    return literal(kind) + cast(row_id, String)


def outlook(session: Session, patient: Patient, *, now: datetime) -> datetime | None:
    """Return when a reminder to one patient falls due, None where none is to be written.

    By the query and the time that write them: no call ahead, one reminded of, or no consent
    all mean None.
    """
    query = _due(now, (now, 0), limit=1).where(Patient.id == patient.id)
    row = session.execute(query).one_or_none()
    book = hours.book_of(session, today=now.date(), clinic_ids=[patient.clinic_id])
    return _due_at(row, book) if row else None


def _due_at(row: Row[*tuple[Any, ...]], book: HoursBook) -> datetime:
    """Return the lead time before a call, or the last contact hour before that."""
    lead = timedelta(minutes=row.ProgrammeVersion.protocol.reminder_lead_minutes)
    zone = ZoneInfo(row.Patient.zone)
    return latest_allowed_at(
        row.PlannedCall.dial_from_at - lead, zone, book.of_patient(row.Patient)
    )


def _message(
    row: Row[*tuple[Any, ...]], book: HoursBook, words: Book, *, now: datetime
) -> dict[str, object] | None:
    call, patient, clinic = row.PlannedCall, row.Patient, row.Clinic
    zone = ZoneInfo(patient.zone)
    lawful = book.of_patient(patient)
    if now < _due_at(row, book):
        return None
    send_after = next_allowed_at(now, zone, lawful)
    if send_after >= call.dial_from_at:
        return None
    name = TextName.REMINDER_AGREED if call.is_agreed else TextName.REMINDER
    said = words.of(clinic.id, name, patient.language)
    body = templates.reminder(
        templates.ReminderFacts(
            language=patient.language,
            clinic_name=clinic.name,
            clinic_phone=phones.as_written(clinic.phone_number),
            caller_name=row.caller_name.split()[0],
            from_local=call.dial_from_at.astimezone(zone),
            until_local=call.dial_until_at.astimezone(zone),
        ),
        said.body,
    )
    return outbox.new_message(
        patient,
        MessageKind.REMINDER,
        body,
        # With the zone: who moved is told the time anew, on the clock of where they live now.
        # A call that comes back to a time at which it was is told of as well.
        dedupe_key=f"reminder:{call.id}:{call.dial_from_at:%Y-%m-%dT%H:%M}:{patient.zone}"
        + (f":{row.dropped}" if row.dropped else ""),
        cause=cause_of(call.id),
        to_number=row.e164,
        window=(send_after, call.dial_from_at),
        now=now,
        wording_id=said.wording_id,
    )
