"""Texts that come in: a row first, then what it means, in one transaction.

What counts whoever sent it comes first, in this order: danger, stop, start, help. The rest is
answered where the number is one patient's (``replying``), and seen to by a person elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import Clinic
from outreach.concerns import raising, readiness, rota
from outreach.concerns.rules import ConcernKind
from outreach.inbox import answers, replying, stopping, sugars
from outreach.inbox.models import InboxItem
from outreach.inbox.rules import OPEN_FOR, REPLY_WITHIN, Said, Understood, as_carrier_took, said_in
from outreach.inbox.rules.keywords import Stop
from outreach.messaging import conversation, outbox, templates
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageKind
from outreach.orm import insert_new
from outreach.patients import consent
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from outreach.sealing import is_either
from outreach.telephony.gateway import InboundSms
from outreach.wordings.rules import FALLBACK, TextName

MOST_QUOTED = 1000


@dataclass(frozen=True)
class Arrival:
    """A text that is stored, with who may have sent it and what the carrier did about it.

    ``sharing`` are the clinics that a stop is for: those it reached, and those that send
    through the same service. The carrier stops a number for a whole service.
    """

    inbound: InboundText
    sharing: Sequence[int]
    people: Sequence[Patient]
    is_answered_by_carrier: bool
    had_said_stop: bool

    @property
    def language(self) -> str:
        """The language of everybody who has the number, English where they differ."""
        spoken = {each.language for each in self.people}
        return spoken.pop() if len(spoken) == 1 else FALLBACK

    @property
    def only(self) -> Patient | None:
        """The one patient who has the number."""
        return self.people[0] if len(self.people) == 1 else None


def receive(
    session: Session,
    news: InboundSms,
    *,
    house_sender: str | None,
    now: datetime,
    open_for: timedelta = OPEN_FOR,
) -> bool:
    """Take a text that came in; False where we have it already. Does not commit.

    Args:
        house_sender: number or service of the clinics that have none of their own.
        open_for: how long automatic texts to this number wait, unless it is answered before.
    """
    clinics, sharing = _clinics(session, news, house_sender)
    if not clinics or not news.provider_id:
        return False
    people = _people(session, clinics, news.from_number)
    inbound = _stored(
        session, news, _clinic_of(session, news, clinics, people), open_for=open_for, now=now
    )
    if inbound is None:
        return False
    arrival = Arrival(
        inbound,
        sharing,
        people,
        news.is_answered,
        conversation.has_said_stop(session, inbound.clinic_id, inbound.from_number),
    )
    said = as_carrier_took(said_in(inbound.body), inbound.body, news.taken_as)
    if not _act_on(session, arrival, said, now=now):
        _answer(session, arrival, now=now)
    return True


def _act_on(session: Session, arrival: Arrival, said: Said, *, now: datetime) -> bool:
    """Do what counts whoever sent it; say whether that was all that the text said."""
    is_stop = said.stop is not Stop.NO
    if is_stop:
        stopping.stop_number(
            session,
            arrival.sharing,
            arrival.inbound.from_number,
            source=ConsentSource.SMS,
            now=now,
        )
    if said.danger is not None:
        _raise(session, arrival, said.danger, is_stop=is_stop, now=now)
        return True
    if is_stop:
        _confirm_stop(session, arrival, said.stop, now=now)
        return True
    if said.is_start or said.is_carriers_start:
        return _start(session, arrival, is_ours=said.is_start, now=now)
    if said.is_help and not arrival.had_said_stop:
        if not arrival.is_answered_by_carrier:
            _reply(session, arrival, MessageKind.HELP_REPLY, now=now)
        keep_items(session, arrival.inbound, arrival.people, Understood.HELP, is_done=True, now=now)
        return True
    return False


def _raise(
    session: Session, arrival: Arrival, kind: ConcernKind, *, is_stop: bool, now: datetime
) -> None:
    """Open an urgent concern for everybody it may be about, and send numbers to ring.

    Also after STOP: see docs/decisions/0012.
    """
    inbound = arrival.inbound
    for patient in arrival.people:
        words = f"Texted: “{inbound.body[:MOST_QUOTED]}”."
        if len(arrival.people) > 1:
            words += f" The number is not theirs alone{_others(arrival.people, patient)}."
        if is_stop or arrival.had_said_stop:
            words += " They said stop to texts, so our answer may not arrive: ring them."
        key = f"{inbound.id}:{patient.id}"
        raising.raise_by_text(session, patient, kind, words, key=key, now=now)
    if not arrival.people:
        _alert_of_unknown(session, inbound, now=now)
    _reply(session, arrival, MessageKind.DANGER_REPLY, now=now)
    keep_items(session, inbound, arrival.people, Understood.DANGER, is_done=False, now=now)


def _others(people: Sequence[Patient], patient: Patient) -> str:
    """Return ': Luis Nguyen', who else has the number; of other clinics nobody is named."""
    names = [
        each.full_name
        for each in people
        if each.id != patient.id and each.clinic_id == patient.clinic_id
    ]
    return f": {', '.join(names)}" if names else ""


def _alert_of_unknown(session: Session, inbound: InboundText, *, now: datetime) -> None:
    """Tell who is on call of danger from a number that is nobody's: no concern can hold it."""
    ready = readiness.watch(session, inbound.clinic_id, now=now).ready
    people = list(ready.values()) or rota.people(session, inbound.clinic_id, now=now)
    clinic = session.get_one(Clinic, inbound.clinic_id)
    outbox.write(
        session,
        [
            outbox.new_alert(
                person,
                clinic.id,
                templates.alert(clinic.name, person.locale),
                dedupe_key=f"alert:text:{inbound.id}:{person.id}",
                cause=f"inbound:{inbound.id}",
                window=(now, now + REPLY_WITHIN * 4),
                now=now,
            )
            for person in people
            if person.phone
        ],
    )


def _confirm_stop(session: Session, arrival: Arrival, stop: Stop, *, now: datetime) -> None:
    """Say once that the texts stop, unless the carrier has said so; in doubt a person looks."""
    if not arrival.is_answered_by_carrier and not arrival.had_said_stop:
        _reply(session, arrival, MessageKind.STOP_REPLY, now=now)
    is_sure = stop is Stop.YES
    understood = Understood.STOP if is_sure else Understood.MAYBE_STOP
    keep_items(session, arrival.inbound, arrival.people, understood, is_done=is_sure, now=now)


def _start(session: Session, arrival: Arrival, *, is_ours: bool, now: datetime) -> bool:
    """Give texts again to those who stopped them; say whether that was all that the text said.

    It was not where nobody had stopped them, and some get none; nor where only the carrier
    takes the word as a start, since to us YES may answer a question.
    """
    started = stopping.start_number(
        session,
        arrival.sharing,
        arrival.inbound.from_number,
        source=ConsentSource.SMS,
        now=now,
    )
    if not started and not (is_ours and _all_get_texts(session, arrival)):
        return False
    if not arrival.is_answered_by_carrier:
        _reply(session, arrival, MessageKind.START_REPLY, now=now)
    keep_items(session, arrival.inbound, arrival.people, Understood.START, is_done=True, now=now)
    return True


def _all_get_texts(session: Session, arrival: Arrival) -> bool:
    """Say whether everybody who has the number gets texts on it, so that START asks for nothing."""
    number = arrival.inbound.from_number
    return bool(arrival.people) and all(
        consent.is_given(session, each.id, Channel.SMS, number) for each in arrival.people
    )


def _answer(session: Session, arrival: Arrival, *, now: datetime) -> None:
    """Answer the one patient who wrote; what nobody can answer by rule goes to a person.

    A dangerous blood sugar tells a nurse all the same, whoever has the number.
    """
    if arrival.only is not None and not arrival.had_said_stop:
        replying.answer(session, arrival.only, arrival.inbound, now=now)
        return
    understood = Understood.NOT_UNDERSTOOD
    if not arrival.people:
        understood = Understood.UNKNOWN_NUMBER
    elif len(arrival.people) > 1:
        understood = Understood.SHARED_NUMBER
    is_urgent = sugars.raise_for_each(session, arrival.people, arrival.inbound)
    if is_urgent and not arrival.had_said_stop:
        words = TextName.READING_URGENT
        _reply(session, arrival, MessageKind.READING_RECEIVED, words, now=now)
    elif not arrival.had_said_stop:
        _reply(session, arrival, MessageKind.NOT_UNDERSTOOD_REPLY, now=now)
    keep_items(session, arrival.inbound, arrival.people, understood, is_done=False, now=now)


def keep_items(
    session: Session,
    inbound: InboundText,
    people: Sequence[Patient],
    understood: Understood,
    *,
    is_done: bool,
    now: datetime,
) -> None:
    """Keep what a text means, for each who may have sent it, or for the clinic."""
    meant: Sequence[Patient | None] = people or [None]
    session.add_all(
        InboxItem(
            clinic_id=each.clinic_id if each else inbound.clinic_id,
            patient_id=each.id if each else None,
            inbound_id=inbound.id,
            understood=understood,
            at=now,
            done_at=now if is_done else None,
        )
        for each in meant
    )
    if is_done:
        inbound.answered_at = now
    session.flush()


def _reply(
    session: Session,
    arrival: Arrival,
    kind: MessageKind,
    words: TextName | None = None,
    *,
    now: datetime,
) -> None:
    only = arrival.only
    answers.reply(
        session,
        arrival.inbound,
        kind,
        words=words,
        language=arrival.language,
        patient_id=only.id if only else None,
        now=now,
    )


def _stored(
    session: Session, news: InboundSms, clinic_id: int, *, open_for: timedelta, now: datetime
) -> InboundText | None:
    """Return a text as stored, None where the carrier handed it over before."""
    row = {
        "clinic_id": clinic_id,
        "provider_id": news.provider_id,
        "from_number": news.from_number,
        "to_number": news.to_number,
        "body": news.body,
        "attachments": news.attachments,
        "received_at": now,
        "open_until": now + open_for,
    }
    if not insert_new(session, InboundText, [row]):
        return None
    return session.scalars(
        select(InboundText).where(InboundText.provider_id == news.provider_id)
    ).one()


def _clinics(
    session: Session, news: InboundSms, house_sender: str | None
) -> tuple[list[int], list[int]]:
    """Return the clinics that were texted, and those that share the way it came.

    By number first: a service may hold the numbers of several clinics, and what was written
    to one of them is for no other. Where the number is no clinic's, by service. Where
    neither is known, every clinic: that is a slip in the settings, and no reason to lose a
    text.
    """
    by_number = _having(session, news.to_number, house_sender, is_number=True)
    by_service = _having(session, news.service, house_sender)
    meant = by_number or by_service
    if not meant:
        meant = list(session.scalars(select(Clinic.id).order_by(Clinic.id)).all())
    return meant, sorted({*meant, *by_service})


def _having(
    session: Session, reached: str, house_sender: str | None, *, is_number: bool = False
) -> list[int]:
    """Return the clinics that send by a number or service, or are rung at it."""
    if not reached:
        return []
    own = is_either(Clinic.sms_sender, reached)
    if is_number:
        own = or_(own, is_either(Clinic.phone_number, reached))
    if reached == house_sender:
        own = or_(own, Clinic.sms_sender.is_(None))
    return list(session.scalars(select(Clinic.id).where(own).order_by(Clinic.id)).all())


def _people(session: Session, clinic_ids: Sequence[int], number: str) -> Sequence[Patient]:
    """Return the patients who have ``number``, held until the commit: two texts wait in line.

    Somebody whose number turned out to be another's is not meant.
    """
    return session.scalars(
        select(Patient)
        .options(joinedload(Patient.clinic))
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .where(
            PhoneNumber.e164 == number,
            PhoneNumber.health != NumberHealth.WRONG,
            Patient.clinic_id.in_(clinic_ids),
        )
        .order_by(Patient.id)
        .with_for_update(of=Patient, key_share=True)
    ).all()


def _clinic_of(
    session: Session, news: InboundSms, clinic_ids: Sequence[int], people: Sequence[Patient]
) -> int:
    """Return the clinic that a text is for: the patient's, or who last texted that number."""
    if people:
        return people[0].clinic_id
    last = session.scalar(
        select(Message.clinic_id)
        .where(Message.to_number == news.from_number, Message.clinic_id.in_(clinic_ids))
        .order_by(Message.id.desc())
        .limit(1)
    )
    return last or clinic_ids[0]
