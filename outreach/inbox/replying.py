"""Answering the one patient who wrote, by what we asked last; what is not understood waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.inbox import answers, offering, permission, sugars
from outreach.inbox.models import InboxItem, TextQuestion
from outreach.inbox.offering import Diary
from outreach.inbox.rules import (
    OFFER_HOLDS,
    QUESTION_HOLDS,
    Asked,
    Meaning,
    Question,
    Understood,
    meaning_of,
    question_at,
)
from outreach.inbox.rules.sugar import Sugar, sugar_in
from outreach.inbox.rules.words import words
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageKind
from outreach.panels import duty
from outreach.patients.models import Patient
from outreach.patients.rules import Slot
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.programmes import enrolment as enrolments
from outreach.programmes.rules import EnrolmentStatus
from outreach.wordings.rules import TextName

# A longer text that asks for another time says more than that: its caller reads it too.
SHORT = 6
NOBODY = {"en": "Your caller", "es": "Nuestro equipo", "pt": "Nossa equipe"}


@dataclass
class Answered:
    """What came of a text: kept as an item when all is done."""

    understood: Understood
    is_done: bool
    call: PlannedCall | None = None
    slot_at: datetime | None = None
    reading_id: int | None = None


@dataclass(frozen=True)
class Talk:
    """One patient who wrote, what they wrote and what it is about."""

    session: Session
    patient: Patient
    inbound: InboundText
    enrolment_id: int | None
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """Where the patient lives."""
        return ZoneInfo(self.patient.zone)

    def reply(
        self,
        kind: MessageKind,
        text: TextName | None = None,
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Answer in the patient's language."""
        answers.reply(
            self.session,
            self.inbound,
            kind,
            words=text,
            language=self.patient.language,
            values=values,
            patient_id=self.patient.id,
            now=self.now,
        )


def answer(session: Session, patient: Patient, inbound: InboundText, *, now: datetime) -> InboxItem:
    """Do what a text asks for, answer it, and keep what it meant. Does not commit."""
    enrolment = enrolments.current(session, patient.id)
    if enrolment is not None and enrolment.status is not EnrolmentStatus.ACTIVE:
        enrolment = None
    talk = Talk(session, patient, inbound, enrolment.id if enrolment else None, now)
    call = next_call.open_call(session, enrolment.id) if enrolment else None
    asked, row = _question(talk, call)
    meaning = meaning_of(
        inbound.body,
        asked,
        sends_readings=permission.is_given(session, patient.id),
        unit=patient.clinic.glucose_unit,
    )
    return _keep(talk, _done(talk, meaning, call, row))


def _done(
    talk: Talk, meaning: Meaning, call: PlannedCall | None, row: TextQuestion | None
) -> Answered:
    match meaning.understood:
        case Understood.CONFIRMED:
            return _confirm(talk, call)
        case Understood.ANOTHER_TIME:
            return _offer(talk, TextName.OFFERED_SLOTS, Understood.ANOTHER_TIME)
        case Understood.BOOKED:
            return _book(talk, meaning.choice or 0, row)
        case Understood.READING | Understood.READING_ASKED | Understood.READING_UNCLEAR:
            return _take_reading(talk, meaning)
        case Understood.READINGS_ALLOWED | Understood.READINGS_REFUSED:
            return _allow(talk, row, is_given=meaning.understood is Understood.READINGS_ALLOWED)
        case Understood.COURTESY:
            return Answered(Understood.COURTESY, is_done=True)
    return _leave_to_person(talk)


def _leave_to_person(talk: Talk, understood: Understood = Understood.NOT_UNDERSTOOD) -> Answered:
    """Thank them, at most once a day, and let their caller read it."""
    talk.reply(MessageKind.NOT_UNDERSTOOD_REPLY)
    return Answered(understood, is_done=False)


def _confirm(talk: Talk, call: PlannedCall | None) -> Answered:
    if call is None or call.dial_until_at <= talk.now:
        return _leave_to_person(talk)
    slot = Slot(call.dial_from_at, call.dial_until_at)
    _say_when(talk, slot, call.enrolment_id, is_agreed=call.is_agreed)
    return Answered(Understood.CONFIRMED, is_done=True, call=call, slot_at=slot.from_at)


def _say_when(talk: Talk, slot: Slot, enrolment_id: int, *, is_agreed: bool) -> None:
    caller_id = duty.on_duty(talk.session, enrolment_id, now=talk.now)
    caller = talk.session.get(StaffMember, caller_id) if caller_id else None
    when = answers.span(slot, talk.zone, talk.patient.language, is_agreed=is_agreed)
    talk.reply(
        MessageKind.CONFIRMED_REPLY,
        values={"caller": _first_name(caller, talk.patient.language), "when": when},
    )


def _offer(talk: Talk, text: TextName, understood: Understood) -> Answered:
    """Offer up to three times; where there are none, a person finds one."""
    diary = _diary(talk)
    slots = offering.times(diary, now=talk.now) if diary else []
    if diary is None or not slots:
        talk.reply(MessageKind.OFFERED_SLOTS, TextName.NO_TIME_FOUND)
        return Answered(Understood.NO_TIME_FOUND, is_done=False)
    talk.session.add(
        TextQuestion(
            clinic_id=talk.patient.clinic_id,
            patient_id=talk.patient.id,
            inbound_id=talk.inbound.id,
            asked=Asked.SLOT.value,
            details=offering.stored(slots),
            asked_at=talk.now,
            expires_at=talk.now + OFFER_HOLDS,
        )
    )
    talk.reply(
        MessageKind.OFFERED_SLOTS,
        text,
        {
            "caller": _first_name(diary.caller, talk.patient.language),
            "times": answers.numbered(slots, talk.zone, talk.patient.language),
        },
    )
    is_short = len(words(talk.inbound.body).split()) <= SHORT
    return Answered(understood, is_done=is_short, call=diary.call)


def _book(talk: Talk, choice: int, row: TextQuestion | None) -> Answered:
    """Book the chosen time; one that can't be had any more is answered with new ones."""
    slots = offering.read(row.details) if row else []
    if row is None or not 1 <= choice <= len(slots):
        return _leave_to_person(talk)
    row.expires_at = talk.now
    slot, diary = slots[choice - 1], _diary(talk)
    if diary is None or not offering.book(talk.session, diary, slot, now=talk.now):
        return _offer(talk, TextName.OFFERED_AGAIN, Understood.SLOT_GONE)
    _say_when(talk, slot, diary.call.enrolment_id, is_agreed=True)
    return Answered(Understood.BOOKED, is_done=True, call=diary.call, slot_at=slot.from_at)


def _take_reading(talk: Talk, meaning: Meaning) -> Answered:
    """Keep a clear value of somebody who agreed; ask who has not; judge whatever comes."""
    sugar = meaning.sugar
    if isinstance(sugar, Sugar) and meaning.understood is Understood.READING:
        return _keep_reading(talk, sugar, talk.inbound)
    maybe = sugars.possibly_meant(sugar) if sugar else ()
    is_urgent = sugars.raise_if_alarming(talk.session, talk.patient, talk.inbound, maybe)
    if is_urgent:
        talk.reply(MessageKind.READING_RECEIVED, TextName.READING_URGENT)
        return Answered(meaning.understood, is_done=False)
    if meaning.understood is Understood.READING_UNCLEAR:
        return _leave_to_person(talk, Understood.READING_UNCLEAR)
    _ask_for_permission(talk)
    return Answered(Understood.READING_ASKED, is_done=True)


def _keep_reading(talk: Talk, sugar: Sugar, inbound: InboundText) -> Answered:
    reading, is_urgent = sugars.keep(talk.session, talk.patient, inbound, sugar, now=talk.now)
    talk.reply(MessageKind.READING_RECEIVED, TextName.READING_URGENT if is_urgent else None)
    reading_id = reading.id if reading else None
    return Answered(Understood.READING, is_done=not is_urgent, reading_id=reading_id)


def _ask_for_permission(talk: Talk) -> None:
    talk.session.add(
        TextQuestion(
            clinic_id=talk.patient.clinic_id,
            patient_id=talk.patient.id,
            inbound_id=talk.inbound.id,
            asked=Asked.SEND_READINGS.value,
            details={},
            asked_at=talk.now,
            expires_at=talk.now + QUESTION_HOLDS,
        )
    )
    talk.reply(MessageKind.READING_QUESTION)


def _allow(talk: Talk, row: TextQuestion | None, *, is_given: bool) -> Answered:
    """Keep whether readings may be sent, and the one that made us ask."""
    permission.note(
        talk.session,
        talk.patient,
        is_given=is_given,
        inbound_id=talk.inbound.id,
        now=talk.now,
    )
    if row is not None:
        row.expires_at = talk.now
    if not is_given:
        talk.reply(MessageKind.READING_RECEIVED, TextName.READINGS_REFUSED)
        return Answered(Understood.READINGS_REFUSED, is_done=True)
    first = talk.session.get(InboundText, row.inbound_id) if row else None
    sugar = sugar_in(first.body, talk.patient.clinic.glucose_unit) if first else None
    if first is None or not isinstance(sugar, Sugar):
        talk.reply(MessageKind.READING_RECEIVED)
        return Answered(Understood.READINGS_ALLOWED, is_done=True)
    kept = _keep_reading(talk, sugar, first)
    return Answered(Understood.READINGS_ALLOWED, is_done=kept.is_done, reading_id=kept.reading_id)


def _question(talk: Talk, call: PlannedCall | None) -> tuple[Question | None, TextQuestion | None]:
    """Return what a bare number answers now, and its row where it has one."""
    row = talk.session.scalar(
        select(TextQuestion)
        .where(TextQuestion.patient_id == talk.patient.id, TextQuestion.expires_at > talk.now)
        .order_by(TextQuestion.asked_at.desc(), TextQuestion.id.desc())
        .limit(1)
    )
    asked = []
    if row is not None:
        asked.append(Question(Asked(row.asked), row.asked_at, row.expires_at))
    if call is not None:
        asked += _reminded(talk, call)
    newest = question_at(asked, talk.now)
    is_row = row is not None and newest is not None and newest.asked_at == row.asked_at
    return newest, row if is_row else None


def _reminded(talk: Talk, call: PlannedCall) -> list[Question]:
    """Return the last reminder of a call as a question: is that time all right?"""
    sent_at = talk.session.scalar(
        select(Message.accepted_at)
        .where(
            Message.cause == next_call.cause_of(call.id),
            Message.kind == MessageKind.REMINDER,
            Message.patient_id == talk.patient.id,
            Message.accepted_at.is_not(None),
        )
        .order_by(Message.accepted_at.desc())
        .limit(1)
    )
    return [Question(Asked.CONFIRM, sent_at, call.dial_until_at)] if sent_at else []


def _keep(talk: Talk, done: Answered) -> InboxItem:
    # A picture is noted, not fetched: somebody asks what it shows.
    is_done = done.is_done and not talk.inbound.attachments
    item = InboxItem(
        clinic_id=talk.patient.clinic_id,
        patient_id=talk.patient.id,
        inbound_id=talk.inbound.id,
        understood=done.understood,
        planned_call_id=done.call.id if done.call else None,
        slot_at=done.slot_at,
        reading_id=done.reading_id,
        at=talk.now,
        done_at=talk.now if is_done else None,
    )
    talk.session.add(item)
    if is_done:
        talk.session.execute(
            update(InboundText)
            .where(InboundText.id == talk.inbound.id)
            .values(answered_at=talk.now)
        )
    talk.session.flush()
    return item


def _diary(talk: Talk) -> Diary | None:
    if talk.enrolment_id is None:
        return None
    return offering.diary_of(talk.session, talk.enrolment_id, now=talk.now)


def _first_name(caller: StaffMember | None, language: str) -> str:
    if caller is None:
        return NOBODY.get(language.split("-", maxsplit=1)[0].lower(), NOBODY["en"])
    return caller.name.split(maxsplit=1)[0][:14]
