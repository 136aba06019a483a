"""The ledger of consents: appended to, never changed; the newest event of a topic counts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import Session, aliased

from config import ROOT
from outreach.accounts.models import StaffMember
from outreach.among import among
from outreach.built_once import built_once
from outreach.orm import rows_of
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import (
    FROM_THE_NUMBER,
    TOPICS,
    Channel,
    ConsentSource,
    ConsentTopic,
    topics_held,
    topics_stopped,
)
from outreach.sent_again import WITHIN

WORDING = "2026-12b"  # version of the words read or shown when asking
FOLDER = ROOT / "templates" / "consent"
FALLBACK = "en"

# A number, and a topic that consent to texts on it is about.
Held = tuple[str, ConsentTopic]


class Entry(NamedTuple):
    """One line of the ledger, and who wrote it down; None: it came by itself."""

    event: ConsentEvent
    by: str | None


def note(
    session: Session,
    patient: Patient,
    channel: Channel,
    number: str,
    *,
    is_given: bool,
    source: ConsentSource,
    by_staff_id: int | None,
    now: datetime,
    topics: Iterable[ConsentTopic] | None = None,
) -> None:
    """Append that consent was given or withdrawn for one number. Does not commit.

    Args:
        topics: what about; None: a yes is about the first topic of the channel, a no about
            every topic that consent holds for, so that nothing is left after 'stop'.
    """
    if topics is None:
        first, *_others = TOPICS[channel]
        topics = {first}
        if not is_given:
            topics |= held(session, patient.id, channel, number)
    session.add_all(
        ConsentEvent(
            clinic_id=patient.clinic_id,
            patient_id=patient.id,
            channel=channel,
            topic=topic,
            is_given=is_given,
            number=number,
            source=source,
            wording=WORDING,
            by_staff_id=by_staff_id,
            at=now,
        )
        for topic in TOPICS[channel]
        if topic in set(topics)
    )
    session.flush()


def agree(
    session: Session,
    patient: Patient,
    number: str,
    topics: frozenset[ConsentTopic],
    *,
    source: ConsentSource,
    by_staff_id: int | None,
    now: datetime,
) -> None:
    """Note that a patient agrees to texts about ``topics`` and no others. Does not commit.

    What they said before and say again is noted again, but not where one form is only sent
    twice; agreeing to nothing is a plain no.
    """
    if _just_agreed(session, patient.id, number, topics, source, by_staff_id, now=now):
        return

    def noted(is_given: bool, about: Iterable[ConsentTopic] | None) -> None:  # noqa: FBT001
        note(
            session,
            patient,
            Channel.SMS,
            number,
            is_given=is_given,
            source=source,
            by_staff_id=by_staff_id,
            now=now,
            topics=about,
        )

    ended = held(session, patient.id, Channel.SMS, number) - topics
    if not topics:
        noted(False, None)
        return
    if ended:
        noted(False, ended)
    noted(True, topics)


def say_of_calls(
    session: Session,
    patient: Patient,
    number: str,
    *,
    is_given: bool,
    source: ConsentSource,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Note whether a patient may be called on ``number``, where it was not so. Does not commit.

    It is how somebody who wanted no more calls, and comes back, may be called again.
    """
    newest = _newest(session, patient.id, Channel.CALL, number)
    if newest is not None and newest.is_given == is_given:
        return
    note(
        session,
        patient,
        Channel.CALL,
        number,
        is_given=is_given,
        source=source,
        by_staff_id=by_staff_id,
        now=now,
    )


def _just_agreed(
    session: Session,
    patient_id: int,
    number: str,
    topics: frozenset[ConsentTopic],
    source: ConsentSource,
    by_staff_id: int | None,
    *,
    now: datetime,
) -> bool:
    """Say whether the last that was noted, a short while ago and by the same person, is this."""
    last = session.scalar(
        select(ConsentEvent)
        .where(
            ConsentEvent.patient_id == patient_id,
            ConsentEvent.channel == Channel.SMS,
            ConsentEvent.number == number,
            ConsentEvent.at > now - WITHIN,
        )
        .order_by(ConsentEvent.id.desc())
        .limit(1)
    )
    if last is None or (last.source, last.by_staff_id) != (source, by_staff_id):
        return False
    return held(session, patient_id, Channel.SMS, number) == topics


def give_back(
    session: Session, patient: Patient, number: str, *, source: ConsentSource, now: datetime
) -> bool:
    """Give again the consents to texts that a stop took away; False: there were none.

    A word never gives a consent that was not there before, nor one that was taken back on a
    call or a form. Does not commit.
    """
    events = [
        (event.topic, event.is_given, event.source)
        for event in reversed(ledger(session, patient.id))
        if (event.channel, event.number) == (Channel.SMS, number)
    ]
    lost = topics_stopped(events)
    if lost:
        note(
            session,
            patient,
            Channel.SMS,
            number,
            is_given=True,
            source=source,
            by_staff_id=None,
            now=now,
            topics=lost,
        )
    return bool(lost)


def newest_of(
    number: type[PhoneNumber], channel: Channel, topic: ConsentTopic | None = None
) -> ScalarSelect[int]:
    """Return the id of the event that counts now for ``number`` of the query around it."""
    event = aliased(ConsentEvent)
    return (
        select(func.max(event.id))
        .where(
            event.patient_id == number.patient_id,
            event.channel == channel,
            event.number == number.e164,
            event.topic == (topic or TOPICS[channel][0]),
        )
        .correlate(number)
        .scalar_subquery()
    )


def held(
    session: Session, patient_id: int, channel: Channel, number: str
) -> frozenset[ConsentTopic]:
    """Return the topics that consent to ``channel`` on ``number`` holds for now."""
    events = session.execute(
        select(ConsentEvent.topic, ConsentEvent.is_given)
        .where(
            ConsentEvent.patient_id == patient_id,
            ConsentEvent.channel == channel,
            ConsentEvent.number == number,
        )
        .order_by(ConsentEvent.id)
    )
    return topics_held((event.topic, event.is_given) for event in events)


def held_by(
    session: Session, patient_ids: Sequence[int], channel: Channel
) -> dict[int, frozenset[Held]]:
    """Return, for each of ``patient_ids``, the numbers and topics that consent holds for.

    The rule of :func:`held` for many patients in one statement.
    """
    found: dict[int, set[Held]] = {patient_id: set() for patient_id in patient_ids}
    for patient_id, number, topic in rows_of(session, *_given(patient_ids, channel)):
        found[patient_id].add((number, topic))
    return {patient_id: frozenset(each) for patient_id, each in found.items()}


@built_once
def _given(patient_ids: Any, channel: Any) -> Select[int, str, ConsentTopic]:
    newest = (
        select(func.max(ConsentEvent.id))
        .where(among(ConsentEvent.patient_id, patient_ids), ConsentEvent.channel == channel)
        .group_by(ConsentEvent.patient_id, ConsentEvent.number, ConsentEvent.topic)
    )
    return select(ConsentEvent.patient_id, ConsentEvent.number, ConsentEvent.topic).where(
        ConsentEvent.id.in_(newest), ConsentEvent.is_given
    )


def is_given(
    session: Session,
    patient_id: int,
    channel: Channel,
    number: str,
    *,
    topic: ConsentTopic | None = None,
) -> bool:
    """Say whether consent to ``channel`` on ``number`` holds; nothing on record means no."""
    return (topic or TOPICS[channel][0]) in held(session, patient_id, channel, number)


def is_withdrawn(session: Session, patient_id: int, channel: Channel, number: str) -> bool:
    """Say whether they said stop to ``channel`` on ``number``; nothing on record is no stop."""
    newest = _newest(session, patient_id, channel, number)
    return newest is not None and not newest.is_given


def is_stopped_by_text(session: Session, patient_id: int, number: str) -> bool:
    """Say whether a word from the telephone itself was the last that was said, and a stop."""
    newest = _newest(session, patient_id, Channel.SMS, number)
    return newest is not None and not newest.is_given and newest.source in FROM_THE_NUMBER


def _newest(
    session: Session, patient_id: int, channel: Channel, number: str
) -> ConsentEvent | None:
    """Return the last word on a plain yes or no to ``channel`` on ``number``."""
    return session.scalar(
        select(ConsentEvent)
        .where(
            ConsentEvent.patient_id == patient_id,
            ConsentEvent.channel == channel,
            ConsentEvent.number == number,
            ConsentEvent.topic == TOPICS[channel][0],
        )
        .order_by(ConsentEvent.id.desc())
        .limit(1)
    )


class OfNumber(NamedTuple):
    """What was said about calls to one number, and texts; None: nothing on record.

    Of texts, what was said of reminders: a plain yes or no. ``topics``: all that is agreed to.
    """

    calls: bool | None = None
    texts: bool | None = None
    topics: frozenset[ConsentTopic] = frozenset()


def of_numbers(session: Session, patient_id: int) -> Mapping[str, OfNumber]:
    """Return what holds now for each number of a patient that anything was said about.

    One statement.
    """
    newest: dict[str, dict[ConsentTopic, bool]] = defaultdict(dict)
    for number, topic, is_given in rows_of(session, *_said(patient_id)):
        newest[number][topic] = is_given
    plain_call, plain_text = (TOPICS[each][0] for each in (Channel.CALL, Channel.SMS))
    return {
        number: OfNumber(said.get(plain_call), said.get(plain_text), topics_held(said.items()))
        for number, said in newest.items()
    }


@built_once
def _said(patient_id: Any) -> Select[str, ConsentTopic, bool]:
    return (
        select(ConsentEvent.number, ConsentEvent.topic, ConsentEvent.is_given)
        .where(ConsentEvent.patient_id == patient_id)
        .order_by(ConsentEvent.id)
    )


def ledger(session: Session, patient_id: int) -> Sequence[ConsentEvent]:
    """Return every event of a patient, newest first."""
    return session.scalars(
        select(ConsentEvent)
        .where(ConsentEvent.patient_id == patient_id)
        .order_by(ConsentEvent.id.desc())
    ).all()


def entries(session: Session, patient_id: int) -> list[Entry]:
    """Return the ledger of a patient as people read it, newest first. One statement."""
    rows = session.execute(
        select(ConsentEvent, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == ConsentEvent.by_staff_id)
        .where(ConsentEvent.patient_id == patient_id)
        .order_by(ConsentEvent.id.desc())
    )
    return [Entry(event, name) for event, name in rows]


def shared_with(session: Session, patient: Patient, number: str) -> int:
    """Return how many other patients of the clinic have ``number`` as well."""
    others = select(func.count(PhoneNumber.patient_id.distinct())).where(
        PhoneNumber.clinic_id == patient.clinic_id,
        PhoneNumber.e164 == number,
        PhoneNumber.patient_id != patient.id,
    )
    return session.scalar(others) or 0


@cache
def wording(version: str, language: str) -> str | None:
    """Return the words of a version of the question, None where they were not kept.

    In English where they are not written in ``language``.
    """
    short = language.replace("_", "-").split("-")[0].lower()
    for code in (short, FALLBACK):
        path = FOLDER / f"{version}.{code}.txt"
        if path.is_file():
            return path.read_text(encoding="utf-8").strip()
    return None
