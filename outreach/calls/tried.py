"""The text "we tried to reach you", offered beside an outcome and written with it.

It is a row of the outbox in the transaction that keeps the attempt, under the attempt's own
key: the same form sent twice makes one. Whether it may go out is asked by the rule that sends
it, here so that the page can say why there is none, and once more when it goes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Actor
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.clock import local_day
from outreach.messaging import outbox, templates, today
from outreach.messaging.models import Message
from outreach.messaging.rules import TOPIC_OF, MessageKind, MessageStatus, SkipReason
from outreach.patients import hours, registry
from outreach.patients.consent import OfNumber
from outreach.patients.models import Patient
from outreach.patients.rules import ContactHours, Slot, hours_on
from outreach.web import phones
from outreach.wordings import keeping
from outreach.wordings.rules import TextName, known_language

CAUSE = "attempt"  # what these texts are about, beside its id
# The patient was not spoken with, nor anybody else.
NOBODY_THERE = frozenset(
    {
        Outcome.NO_ANSWER,
        Outcome.VOICEMAIL_LEFT,
        Outcome.VOICEMAIL_NOT_ALLOWED,
        Outcome.BUSY,
    }
)


@dataclass(frozen=True)
class Offer:
    """The text that can go out now, or ``why_not``. ``window``: what is left of its day."""

    why_not: SkipReason | None = None
    body: str = ""
    wording_id: int | None = None
    language: str = ""
    number: str = ""
    window: Slot | None = None


def offer_of(
    session: Session,
    patient: Patient,
    actor: Actor,
    *,
    now: datetime,
    lawful: ContactHours | None = None,
    agreed: Mapping[str, OfNumber] | None = None,
) -> Offer:
    """Return what may be offered to ``actor``, who calls ``patient`` at ``now``.

    Args:
        lawful: the patient's contact hours, where somebody has read them already.
        agreed: what was agreed to on each number, likewise: of most patients there is nothing
            more to ask then.
    """
    number = registry.working_number(session, patient.id)
    if number is None:
        return Offer(SkipReason.NUMBER_UNFIT)
    lawful = lawful or hours.hours_of(
        session, patient, today=local_day(now, ZoneInfo(patient.zone))
    )
    window = _rest_of_day(patient, lawful, now=now)
    if window is None:
        return Offer(SkipReason.TOO_LATE)
    topic = TOPIC_OF[MessageKind.MISSED_YOU]
    if agreed is not None and topic not in agreed.get(number.e164, OfNumber()).topics:
        return Offer(SkipReason.NO_CONSENT)
    against = today.refusal(
        session, patient, MessageKind.MISSED_YOU, number.e164, until=window.until_at, now=now
    )
    if against is None and _is_waiting(session, patient.id):
        against = SkipReason.DAY_LIMIT
    if against is not None:
        return Offer(against)
    clinic = session.get_one(Clinic, patient.clinic_id)
    book = keeping.book_of(session, clinic_ids=[clinic.id])
    said = book.of(clinic.id, TextName.MISSED_YOU, patient.language)
    body = templates.courtesy(
        said.body, clinic.name, phones.as_written(clinic.phone_number), actor.name.split()[0]
    )
    language = known_language(patient.language)
    return Offer(None, body, said.wording_id, language, number.e164, window)


def tell(
    session: Session, patient: Patient, attempt: Attempt, actor: Actor, *, now: datetime
) -> None:
    """Write the text that goes with ``attempt``, where it may go out still. Does not commit."""
    if attempt.outcome not in NOBODY_THERE:
        return
    offer = offer_of(session, patient, actor, now=now)
    if offer.window is None:
        return
    text = outbox.new_message(
        patient,
        MessageKind.MISSED_YOU,
        offer.body,
        dedupe_key=f"missed_you:{attempt.id}",
        cause=cause_of(attempt.id),
        to_number=offer.number,
        window=(offer.window.from_at, offer.window.until_at),
        now=now,
        wording_id=offer.wording_id,
    )
    outbox.write(session, [text])


def _rest_of_day(patient: Patient, lawful: ContactHours, *, now: datetime) -> Slot | None:
    """Return what is left of the patient's contact hours today, None where nothing is."""
    zone = ZoneInfo(patient.zone)
    span = hours_on(local_day(now, zone), zone, lawful)
    if span is None or now >= span.until_at:
        return None
    return Slot(max(now, span.from_at), span.until_at)


def is_told(session: Session, attempt_id: int) -> bool:
    """Say whether a text goes out with an attempt."""
    return bool(session.scalar(select(exists().where(Message.cause == cause_of(attempt_id)))))


def cause_of(attempt_id: int) -> str:
    """Return under what the text of an attempt stands in the outbox."""
    return f"{CAUSE}:{attempt_id}"


def _is_waiting(session: Session, patient_id: int) -> bool:
    """Say whether such a text of an earlier try is about to go out."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Message.patient_id == patient_id,
                    Message.kind == MessageKind.MISSED_YOU,
                    Message.status == MessageStatus.SCHEDULED,
                )
            )
        )
    )
