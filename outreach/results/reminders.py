"""Texts that it is time to measure something, for programmes that want them: one a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, String, and_, cast, exists, literal, or_, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.among import among
from outreach.messaging import outbox, templates
from outreach.messaging.models import Message
from outreach.messaging.rules import TOPIC_OF, MessageKind, MessageStatus
from outreach.panels import duty
from outreach.patients import consent, registry
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import Channel
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, MeasurePoint, Protocol
from outreach.results.due import Due, open_points
from outreach.results.rules import is_time_to_say_so
from outreach.web import phones
from outreach.wordings import keeping
from outreach.wordings.keeping import Book
from outreach.wordings.rules import TextName

_CAUSE = "measure_point:"
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Batch:
    """The texts of one batch of enrolments, and the last of them where there may be more."""

    texts: Sequence[dict[str, Any]]
    last_id: int | None


def due(session: Session, *, now: datetime, after_id: int = 0, limit: int = 500) -> Batch:
    """Return the texts that it is time for, of one batch of enrolments; reads only.

    To whoever agreed to such texts, is active and has a caller; one for each measurement
    point, whatever is restarted: its key names enrolment and point.

    Args:
        after_id: the enrolment that the batch before ended with.
    """
    protocols = _protocols(session)
    windows = [
        _in_window(version_id, protocol, point, today=now.date())
        for version_id, protocol in protocols.items()
        if protocol.measure_lead_days is not None
        for point in protocol.measure_points
    ]
    if not windows:
        return Batch((), None)
    rows = session.execute(
        _texted(now).where(or_(*windows), Enrolment.id > after_id).limit(limit)
    ).all()
    if not rows:
        return Batch((), None)
    standings = open_points(
        session, [(row.Enrolment, row.Patient) for row in rows], protocols, now=now
    )
    book, by_id = keeping.book_of(session), {row.Enrolment.id: row for row in rows}
    texts = [
        _text(book, by_id[each.enrolment.id], each, now=now)
        for each in standings
        if is_time_to_say_so(
            each.standing,
            protocols[each.enrolment.version_id].measure_lead_days,
            today=_today(each.patient, now),
        )
    ]
    return Batch(texts, rows[-1].Enrolment.id if len(rows) == limit else None)


def no_longer_due(session: Session, *, now: datetime) -> list[str]:
    """Return the causes of the texts that wait to go out although nothing is missing any more."""
    waiting = set(
        session.scalars(
            select(Message.cause).where(
                Message.kind == MessageKind.MEASUREMENT_DUE,
                Message.status == MessageStatus.SCHEDULED,
            )
        )
    )
    if not waiting:
        return []
    ids = sorted({int(each.removeprefix(_CAUSE).split(":")[0]) for each in waiting})
    rows = session.execute(
        select(Enrolment, Patient)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(among(Enrolment.id, ids))
    ).all()
    enrolled = [(enrolment, patient) for enrolment, patient in rows]
    standings = open_points(session, enrolled, _protocols(session), now=now)
    missing = {_key(each) for each in standings if each.standing.is_due}
    return sorted(waiting - missing)


def _protocols(session: Session) -> Mapping[int, Protocol]:
    versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id))
    return {each.id: each.protocol for each in versions}


def _in_window(
    version_id: int, protocol: Protocol, point: MeasurePoint, *, today: date
) -> ColumnElement[bool]:
    """Return the condition that an enrolment may be told of ``point``, and was not yet.

    A day wider at both ends than the window: the patient's own day is looked at later.
    """
    begins = max(point.from_day, point.target_day - (protocol.measure_lead_days or 0))
    key = literal(_CAUSE) + cast(Enrolment.id, String) + literal(f":{point.code}")
    return and_(
        Enrolment.version_id == version_id,
        Enrolment.starts_on.between(
            today - (point.until_day + 1) * _A_DAY, today - (begins - 1) * _A_DAY
        ),
        ~exists().where(Message.dedupe_key == key),
    )


def _texted(now: datetime) -> Select[*tuple[Any, ...]]:
    """Select whom such a text may go to: enrolment, patient, clinic, number, caller's name."""
    topic = TOPIC_OF[MessageKind.MEASUREMENT_DUE]
    return (
        select(Enrolment, Patient, Clinic, PhoneNumber.e164, StaffMember.name.label("caller_name"))
        .join(Patient, Patient.id == Enrolment.patient_id)
        .join(Clinic, Clinic.id == Enrolment.clinic_id)
        .join(PhoneNumber, PhoneNumber.id == registry.working_number_id())
        .join(ConsentEvent, ConsentEvent.id == consent.newest_of(PhoneNumber, Channel.SMS, topic))
        .join(StaffMember, StaffMember.id == duty.caller_on_duty(Enrolment.id, now))
        .where(
            Enrolment.status == EnrolmentStatus.ACTIVE,
            PhoneNumber.can_text.is_(True),
            ConsentEvent.is_given.is_(True),
        )
        .order_by(Enrolment.id)
    )


def _text(book: Book, row: Row[*tuple[Any, ...]], due_now: Due, *, now: datetime) -> dict[str, Any]:
    said = book.of(row.Clinic.id, TextName.MEASUREMENT_DUE, row.Patient.language)
    ends_on = due_now.standing.until_on + _A_DAY
    return outbox.new_message(
        row.Patient,
        MessageKind.MEASUREMENT_DUE,
        templates.courtesy(
            said.body,
            row.Clinic.name,
            phones.as_written(row.Clinic.phone_number),
            row.caller_name.split()[0],
        ),
        dedupe_key=_key(due_now),
        cause=_key(due_now),
        to_number=row.e164,
        window=(now, datetime.combine(ends_on, time(), ZoneInfo(row.Patient.zone))),
        now=now,
        wording_id=said.wording_id,
    )


def _key(due_now: Due) -> str:
    return f"{_CAUSE}{due_now.enrolment.id}:{due_now.standing.point.code}"


def _today(patient: Patient, now: datetime) -> date:
    return now.astimezone(ZoneInfo(patient.zone)).date()
