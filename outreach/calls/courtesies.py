"""Texts around calls, for the clinics that want them: set by set, each once.

Whether one may go out is judged when it is sent; here stands only what there is to say. The
key of each names what it is about, so a tick that runs twice writes nothing twice.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, case, exists, literal, or_, select
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.calls.models import Attempt
from outreach.calls.rules import UNDO_FOR, Outcome
from outreach.clock import day_began_at
from outreach.messaging import outbox, setting, templates
from outreach.messaging.models import Message
from outreach.messaging.rules import STAFF_FROM_HOUR, TOPIC_OF, MessageKind
from outreach.orm import UTCDateTime
from outreach.panels import duty
from outreach.patients import consent, registry
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import Channel
from outreach.planning import reminders
from outreach.planning.models import PlannedCall
from outreach.planning.next_call import cause_of
from outreach.programmes.models import CadenceChoice, Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, Rhythm
from outreach.web import phones
from outreach.wordings import keeping
from outreach.wordings.keeping import Book
from outreach.wordings.rules import TextName

Texts = list[dict[str, Any]]

MISSED = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL_NOT_ALLOWED)
LOOK_BACK = timedelta(days=1)
BATCH = 500
REPORT = "/reports/adherence"  # the page of the week in numbers
DIGEST_WEEKDAY = 0  # Monday morning where the manager is


def missed_you(session: Session, *, now: datetime) -> Texts:
    """Return 'we tried to reach you' for today's calls that nobody answered, one a call.

    After the second try (domain.md E2; a caller may tell them after the first). Not while the
    attempt can be taken back, not where a voicemail was left, and not to somebody who was
    reached since.
    """
    earlier, later = aliased(Attempt), aliased(Attempt)
    query = (
        _texted(MessageKind.MISSED_YOU)
        .add_columns(Attempt)
        .join(Attempt, Attempt.enrolment_id == Enrolment.id)
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .where(
            Attempt.outcome.in_(MISSED),
            Attempt.superseded_at.is_(None),
            Attempt.at > now - LOOK_BACK,
            Attempt.recorded_at <= now - UNDO_FOR,
            Attempt.at >= _their_today(session, now),
            PlannedCall.is_open,
            exists().where(
                earlier.planned_call_id == Attempt.planned_call_id,
                earlier.at < Attempt.at,
                earlier.superseded_at.is_(None),
            ),
            ~exists().where(
                later.patient_id == Attempt.patient_id,
                later.at > Attempt.at,
                later.superseded_at.is_(None),
                later.outcome.in_([each for each in Outcome if each.is_reached]),
            ),
            ~exists().where(
                Message.patient_id == Attempt.patient_id,
                Message.kind == MessageKind.MISSED_YOU,
                or_(
                    Message.cause == _cause(Attempt.planned_call_id),
                    Message.created_at >= Attempt.at,  # the caller chose to tell them
                ),
            ),
        )
        .order_by(Attempt.at, Attempt.id)
        .limit(BATCH)
    )
    texts, book = [], keeping.book_of(session)
    for row in session.execute(query):
        ends_at = _day_ends_at(now, ZoneInfo(row.Patient.zone))
        key, cause = f"missed:{row.Attempt.planned_call_id}", cause_of(row.Attempt.planned_call_id)
        texts.append(_text(book, row, MessageKind.MISSED_YOU, key, cause, ends_at, now=now))
    return texts


def callbacks(session: Session, *, now: datetime) -> Texts:
    """Return confirmations of the times that were agreed on the telephone since yesterday."""
    caller = duty.caller_on_duty(Enrolment.id, PlannedCall.dial_from_at)
    query = (
        _texted(MessageKind.CALLBACK_CONFIRMED)
        .add_columns(PlannedCall)
        .join(PlannedCall, PlannedCall.enrolment_id == Enrolment.id)
        .join(StaffMember, StaffMember.id == caller)
        .where(
            PlannedCall.is_open,
            PlannedCall.is_agreed.is_(True),
            PlannedCall.dial_from_at > now,
            exists().where(
                Attempt.planned_call_id == PlannedCall.id,
                Attempt.superseded_at.is_(None),
                Attempt.outcome == Outcome.CALL_BACK,
                Attempt.at > now - LOOK_BACK,
                Attempt.recorded_at <= now - UNDO_FOR,
            ),
            ~exists().where(
                Message.cause == _cause(PlannedCall.id),
                Message.kind == MessageKind.CALLBACK_CONFIRMED,
                Message.expires_at == PlannedCall.dial_from_at,
            ),
        )
        .order_by(PlannedCall.dial_from_at, PlannedCall.id)
        .limit(BATCH)
    )
    texts, book = [], keeping.book_of(session)
    for row in session.execute(query):
        call = row.PlannedCall
        local = call.dial_from_at.astimezone(ZoneInfo(row.Patient.zone))
        words = templates.when(local, row.Patient.language)
        key = f"callback:{call.id}:{call.dial_from_at:%Y-%m-%dT%H:%M}"
        kind, until = MessageKind.CALLBACK_CONFIRMED, call.dial_from_at
        texts.append(_text(book, row, kind, key, cause_of(call.id), until, now=now, **words))
    return texts


def thank_yous(session: Session, *, now: datetime) -> Texts:
    """Return thanks to those who chose since yesterday how often they are called."""
    newer = aliased(CadenceChoice)
    query = (
        _texted(MessageKind.THANK_YOU)
        .add_columns(CadenceChoice, ProgrammeVersion)
        .join(StaffMember, StaffMember.id == duty.caller_on_duty(Enrolment.id, now))
        .join(CadenceChoice, CadenceChoice.enrolment_id == Enrolment.id)
        .join(ProgrammeVersion, ProgrammeVersion.id == Enrolment.version_id)
        .where(
            CadenceChoice.chosen_at > now - LOOK_BACK,
            CadenceChoice.chosen_at <= now - UNDO_FOR,
            ~exists().where(
                newer.enrolment_id == CadenceChoice.enrolment_id, newer.id > CadenceChoice.id
            ),
            ~exists().where(Message.cause == _cause(CadenceChoice.id, "choice:")),
        )
        .order_by(CadenceChoice.chosen_at, CadenceChoice.id)
        .limit(BATCH)
    )
    texts, book = [], keeping.book_of(session)
    for row in session.execute(query):
        choice = row.CadenceChoice
        phases = row.ProgrammeVersion.protocol.phases
        is_weekly = any(
            each.code == choice.phase and each.rhythm is Rhythm.CALLS_PER_WEEK for each in phases
        )
        words = templates.rhythm(row.Patient.language, is_weekly=is_weekly, value=choice.value)
        cause, until = f"choice:{choice.id}", now + timedelta(days=2)
        kind = MessageKind.THANK_YOU
        texts.append(
            _text(book, row, kind, f"thanks:{choice.id}", cause, until, now=now, rhythm=words)
        )
    return texts


def digests(session: Session, *, now: datetime, public_url: str | None = None) -> Texts:
    """Return the weekly word to managers who have a number: that the week's figures are ready.

    With the address of the report, where ``public_url`` says at what address we are reached.
    """
    report = public_url + REPORT if public_url else None
    return [
        outbox.new_alert(
            person,
            clinic.id,
            templates.digest(clinic.name, person.locale, report),
            dedupe_key=f"digest:{clinic.id}:{week}:{person.id}",
            cause=f"digest:{week}",
            window=(now, now + timedelta(hours=10)),
            now=now,
            kind=MessageKind.DIGEST,
        )
        for person, clinic, week in managers_to_tell(session, MessageKind.DIGEST, now=now)
        if person.phone is not None
    ]


def managers_to_tell(
    session: Session, kind: MessageKind, *, now: datetime
) -> Iterator[tuple[StaffMember, Clinic, str]]:
    """Yield the managers for whom it is the hour of the weekly word, and of which week.

    Of the clinics that want it in this way: ``kind`` is a text or an e-mail.
    """
    rows = session.execute(
        select(StaffMember, Clinic)
        .join(Membership, Membership.staff_id == StaffMember.id)
        .join(Clinic, Clinic.id == Membership.clinic_id)
        .where(
            Membership.role == Role.MANAGER,
            or_(Membership.until_on.is_(None), Membership.until_on > now.date()),
            StaffMember.is_active.is_(True),
            setting.is_on(Clinic.id, kind),
        )
        .order_by(StaffMember.id, Clinic.id)
    )
    for person, clinic in rows:
        local = now.astimezone(ZoneInfo(person.zone))
        if local.weekday() == DIGEST_WEEKDAY and local.hour >= STAFF_FROM_HOUR:
            yield person, clinic, f"{local:%G-W%V}"


def every(public_url: str | None) -> Sequence[Callable[..., Texts]]:
    """Return what writes each kind of text, given a session and the time."""
    return missed_you, callbacks, thank_yous, partial(digests, public_url=public_url)


def _texted(kind: MessageKind) -> Select[*tuple[Any, ...]]:
    """Select whom a kind of text may go to: patient, clinic, number, the caller's name.

    Who has agreed to texts on the number they are reached at, is active, and is of a clinic
    that wants this kind. What there is to say, and the caller, are joined to the enrolment.
    """
    return (
        select(Patient, Clinic, PhoneNumber.e164, StaffMember.name.label("caller_name"))
        .select_from(Enrolment)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .join(Clinic, Clinic.id == Enrolment.clinic_id)
        .join(PhoneNumber, PhoneNumber.id == registry.working_number_id())
        .join(
            ConsentEvent,
            ConsentEvent.id == consent.newest_of(PhoneNumber, Channel.SMS, TOPIC_OF[kind]),
        )
        .where(
            Enrolment.status == EnrolmentStatus.ACTIVE,
            PhoneNumber.can_text.is_(True),
            ConsentEvent.is_given.is_(True),
            setting.is_on(Enrolment.clinic_id, kind),
        )
    )


def _their_today(session: Session, now: datetime) -> ColumnElement[datetime]:
    """Return when the day of Patient, of the query around it, began: the text says 'today'."""
    zones = session.scalars(
        select(Patient.zone)
        .join(Attempt, Attempt.patient_id == Patient.id)
        .where(Attempt.at > now - LOOK_BACK)
        .distinct()
    )
    else_ = literal(now, UTCDateTime())
    began = {zone: literal(day_began_at(now, ZoneInfo(zone)), UTCDateTime()) for zone in zones}
    return case(began, value=Patient.zone, else_=else_) if began else else_


def _day_ends_at(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the midnight that ends the day, be it of 23 or of 25 hours."""
    return day_began_at(day_began_at(now, zone) + timedelta(hours=36), zone)


def _cause(row_id: Any, kind: str = "planned_call:") -> Any:
    return reminders.cause_column(row_id, kind)


def _text(
    book: Book,
    row: Row[*tuple[Any, ...]],
    kind: MessageKind,
    key: str,
    cause: str,
    until: datetime,
    *,
    now: datetime,
    **words: str,
) -> dict[str, Any]:
    said = book.of(row.Clinic.id, TextName(kind.value), row.Patient.language)
    body = templates.courtesy(
        said.body,
        row.Clinic.name,
        phones.as_written(row.Clinic.phone_number),
        row.caller_name.split()[0],
        **words,
    )
    return outbox.new_message(
        row.Patient,
        kind,
        body,
        dedupe_key=key,
        cause=cause,
        to_number=row.e164,
        window=(now, until),
        now=now,
        wording_id=said.wording_id,
    )
