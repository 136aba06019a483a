"""Taking texts for sending: a batch at a time, each judged at that moment.

Nothing here waits for a lock: rows that another worker holds are passed over, and texts to
a patient whose row is held are left for the next round. So any number of workers, on any
number of machines, never take one text twice, and never block each other or a page.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.built_once import built_once
from outreach.clock import day_began_at
from outreach.encryption import CannotDecrypt
from outreach.messaging import conversation, due, history, holding, pacing, past_lines, setting
from outreach.messaging.due import Due
from outreach.messaging.models import Message
from outreach.messaging.outbox import Asked
from outreach.messaging.rules import (
    LEASE,
    MAX_TRIES,
    PRIORITY,
    TOPIC_OF,
    Decision,
    MessageKind,
    MessageStatus,
    ReplyFacts,
    SendFacts,
    SkipReason,
    decide,
    decide_reply,
    wait_before_retry,
)
from outreach.orm import row_failed, rows_of
from outreach.patients import consent, hours, registry
from outreach.patients.hours import HoursBook
from outreach.patients.models import Patient
from outreach.patients.rules import (
    Channel,
    ContactHours,
    Wishes,
    next_allowed_at,
    weekdays_from_mask,
)
from outreach.programmes import enrolment
from outreach.telephony.gateway import OutboundSms

log = logging.getLogger(__name__)

BATCH = 100


@dataclass(frozen=True)
class Claimed:
    """A text that this process alone may hand to the carrier, at ``turn_at`` if it has a turn."""

    sms: OutboundSms
    asked: Asked
    turn_at: datetime | None = None


@dataclass(frozen=True)
class Claim:
    """What came of one look: texts to send, and whether there may be more to claim."""

    texts: list[Claimed]
    has_more: bool


def is_any_due(session: Session, *, now: datetime) -> bool:
    """Say whether any text's time has come."""
    in_line = pacing.clinics_in_line(session)
    if in_line:
        return past_lines.is_any_due(session, in_line, now=now)
    is_due = exists().where(Message.status == MessageStatus.SCHEDULED, Message.send_after <= now)
    return bool(session.scalar(select(is_due)))


def claim(session: Session, *, now: datetime, limit: int = BATCH) -> Claim:
    """Take up to ``limit`` texts whose time has come.

    What matters most first, then the oldest. Texts that must not go out now are put off or
    dropped, with the reason. After a restore, see :mod:`holding`, most wait. Does not commit;
    nothing may be handed over before it is committed.
    """
    in_line = pacing.clinics_in_line(session)
    if in_line:
        rows, unreadable = past_lines.texts(session, in_line, now=now, limit=limit)
    else:
        rows, unreadable = due.texts(session, now=now, limit=limit)
    is_full = len(rows) + len(unreadable) == limit
    taken = take(session, rows, unreadable, now=now)
    return Claim(taken.texts, has_more=is_full and taken.has_more)


def take(
    session: Session, rows: Sequence[Due], unreadable: Sequence[Due], *, now: datetime
) -> Claim:
    """Judge texts that are due and locked, and take those that go out now. Does not commit."""
    if not rows and not unreadable:
        return Claim([], has_more=False)
    try:
        settled, decisions = _settled_and_judged(session, rows, now=now)
    except CannotDecrypt:
        settled, decisions = _by_patient(session, rows, now=now)
    decisions |= {row.id: _put_off(row, now=now) for row in unreadable}
    _store(session, decisions, now=now)
    sending = {message_id for message_id, decision in decisions.items() if decision.is_send}
    texts = [Claimed(as_sms(row), Asked(row.id, now)) for row in rows if row.id in sending]
    return Claim(texts, has_more=bool(decisions or settled))


def as_sms(row: Any) -> OutboundSms:
    """Return a text as the carrier takes it."""
    return OutboundSms(row.id, row.to_number, row.body, row.sms_sender)


def _settled_and_judged(
    session: Session, rows: Sequence[Due], *, now: datetime
) -> tuple[set[int], dict[int, Decision]]:
    """Return which of ``rows`` had gone out before, and what becomes of the others.

    All or nothing of it is done: a value of one patient may not be readable.
    """
    with session.begin_nested():
        settled = holding.settle(session, rows, now=now)
        return settled, _judged(session, [row for row in rows if row.id not in settled], now=now)


def _by_patient(
    session: Session, rows: Sequence[Due], *, now: datetime
) -> tuple[set[int], dict[int, Decision]]:
    """As :func:`_settled_and_judged`, each patient by themselves, so that one stops no other."""
    whose: dict[tuple[str, int], list[Due]] = {}
    for row in rows:
        key = ("patient", row.patient_id) if row.patient_id else ("text", row.id)
        whose.setdefault(key, []).append(row)
    settled: set[int] = set()
    decisions: dict[int, Decision] = {}
    for (kind, row_id), texts in whose.items():
        try:
            gone, judged = _settled_and_judged(session, texts, now=now)
        except CannotDecrypt:
            log.exception("%s %s can't be decrypted", kind, row_id)
            row_failed(row_id)
            gone, judged = set(), {row.id: _put_off(row, now=now) for row in texts}
        settled |= gone
        decisions |= judged
    return settled, decisions


def _judged(session: Session, rows: Sequence[Due], *, now: datetime) -> dict[int, Decision]:
    """Return what becomes of each; a row that can't be read never stops the others."""
    patient_ids = {row.patient_id for row in rows if row.patient_id}
    facts = BatchFacts(session, patient_ids, numbers={row.to_number for row in rows}, now=now)
    decisions = {}
    for row in rows:
        try:
            decision = facts.decide(row)
        except Exception:
            log.exception("message %s can't be judged", row.id)
            row_failed(row.id)
            decision = _put_off(row, now=now)
        if decision is not None:
            decisions[row.id] = decision
    return decisions


def _put_off(row: Any, *, now: datetime) -> Decision:
    """Return when to look again at a text that breaks; at last it is given up."""
    tries = row.tries + 1
    if tries >= MAX_TRIES:
        return Decision(is_broken=True)
    return Decision(wait_until=now + wait_before_retry(tries, 0.5), is_broken=True)


def _store(session: Session, decisions: dict[int, Decision], *, now: datetime) -> None:
    groups: dict[Decision, list[int]] = {}
    for message_id, decision in decisions.items():
        groups.setdefault(decision, []).append(message_id)
    for decision, ids in groups.items():
        session.execute(
            update(Message)
            .where(among(Message.id, ids), Message.status == MessageStatus.SCHEDULED)
            .values(_values(decision, now=now))
            .execution_options(synchronize_session=False)
        )


def _values(decision: Decision, *, now: datetime) -> dict[str, Any]:
    if decision.is_broken and decision.wait_until is None:
        return {"status": MessageStatus.FAILED, "failure": "it could not be read"}
    if decision.is_broken:
        return {"send_after": decision.wait_until, "tries": Message.tries + 1}
    if decision.skip is not None:
        return {"status": MessageStatus.SKIPPED, "skip_reason": decision.skip}
    if decision.wait_until is not None:
        return {"send_after": decision.wait_until}
    return {
        "status": MessageStatus.CALLING,
        "calling_at": now,
        "lease_until": now + LEASE,
        "tries": Message.tries + 1,
    }


class _Person(NamedTuple):
    """What of a patient's row decides when they may be texted; ``weekdays`` is a bit mask."""

    id: int
    clinic_id: int
    zone: str
    state: str | None
    weekdays: int


@built_once
def _people(ids: Any) -> Select[*tuple[Any, ...]]:
    return _of_people(ids)


@built_once
def _people_held(ids: Any) -> Select[*tuple[Any, ...]]:
    return _of_people(ids).with_for_update(key_share=True, skip_locked=True)


def _of_people(ids: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(Patient.id, Patient.clinic_id, Patient.zone, Patient.state, Patient.weekdays)
        .where(among(Patient.id, ids))
        .order_by(Patient.id)
    )


class _Times(NamedTuple):
    """A patient's day, and from when they may be contacted in it and in the next."""

    began_at: datetime
    day_ends_at: datetime
    allowed_at: datetime
    tomorrow_at: datetime


class BatchFacts:
    """What is true of the patients of one batch, read in a few statements.

    Their rows are held until the transaction ends, so that two texts can't both be the
    first of a day. Whoever is held already is not among them. A page that only asks what
    would happen holds nobody.
    """

    def __init__(
        self,
        session: Session,
        patient_ids: Iterable[int],
        *,
        numbers: Iterable[str],
        now: datetime,
        is_held: bool = True,
    ) -> None:
        ids = sorted(patient_ids)
        self._session, self._now = session, now
        patients = _people_held(ids) if is_held else _people(ids)
        self._patients = {row.id: _Person(*row) for row in rows_of(session, *patients)}
        clinics = {each.clinic_id for each in self._patients.values()}
        self._book: HoursBook = hours.book_of(session, today=now.date(), clinic_ids=clinics)
        self._known_times: dict[tuple[str, ContactHours], _Times] = {}
        self._times_of: dict[tuple[int, str | None, int, str], _Times] = {}
        self._limits = setting.limits_by(session, clinics)
        self._numbers = registry.textable_numbers(session, ids)
        self._consents = consent.held_by(session, ids, Channel.SMS)
        self._enrolled = enrolment.active_among(session, ids)
        self._sent, self._ahead = history.sent_and_ahead(session, ids, now=now)
        for patient_id, at in holding.unasked(session, self._numbers, now=now):
            self._sent[patient_id].append(at)
        self._to = sorted(set(numbers))
        self._stopped: set[tuple[int, str]] | None = None
        self._writing = conversation.writing(session, clinics, self._to, now=now)

    def decide(self, row: Any) -> Decision | None:
        """Return what becomes of a text now; None where its patient is held by somebody else."""
        if row.inbound_id is not None:
            return self._decide_reply(row)
        if row.patient_id is None:
            return decide(_alert_facts(row), now=self._now)
        patient = self._patients.get(row.patient_id)
        if patient is None:
            return None
        decision = decide(self._facts(row, patient), now=self._now)
        if decision.is_send:  # the next one to the same patient has to see it
            self._sent[patient.id].append(self._now)
        return decision

    def is_week_full(self, patient: Patient) -> bool:
        """Say whether a patient got as many texts in the last seven days as they may."""
        return len(self._sent[patient.id]) >= self._limits[patient.clinic_id].per_week

    def _decide_reply(self, row: Any) -> Decision | None:
        """Return what becomes of an answer to a text that came in."""
        allowed_at, refused = None, None
        if row.kind is MessageKind.ANSWER and row.patient_id is not None:
            patient = self._patients.get(row.patient_id)
            if patient is None:
                return None
            allowed_at = self._times(patient).allowed_at
            refused = self._refusal_of_answer(row)
        if self._stopped is None:  # batches without an answer need not know
            self._stopped = conversation.stopped(self._session, self._to)
        has_said_stop = (row.clinic_id, row.to_number) in self._stopped
        facts = ReplyFacts(row.kind, has_said_stop, row.expires_at, allowed_at, refused)
        return decide_reply(facts, now=self._now)

    def _refusal_of_answer(self, row: Any) -> SkipReason | None:
        """Return why what somebody wrote is not for whoever would read it now."""
        if registry.is_wrong(self._session, row.patient_id, row.to_number):
            return SkipReason.NUMBER_UNFIT
        died = enrolment.has_died_since(self._session, row.patient_id, at=row.created_at)
        return SkipReason.NOT_ENROLLED if died else None

    def _facts(self, row: Any, patient: _Person) -> SendFacts:
        times = self._times(patient)
        sent = self._sent[patient.id]
        limits = self._limits[patient.clinic_id]
        rank = PRIORITY[row.kind]
        return SendFacts(
            kind=row.kind,
            has_consent=(row.to_number, TOPIC_OF[row.kind]) in self._consents[patient.id],
            is_number_working=self._numbers.get(patient.id) == row.to_number,
            is_enrolled=patient.id in self._enrolled,
            sent_today=sum(at >= times.began_at for at in sent),
            sent_this_week=len(sent),
            limits=limits,
            week_frees_at=_frees_at(sent, limits.per_week),
            expires_at=row.expires_at,
            allowed_at=times.allowed_at,
            tomorrow_at=times.tomorrow_at,
            yields=any(
                PRIORITY[kind] < rank and at < times.day_ends_at
                for kind, at in self._ahead[patient.id]
            ),
            is_conversation_open=(patient.clinic_id, row.to_number) in self._writing,
        )

    def _times(self, patient: _Person) -> _Times:
        """Return the patient's day and hours; most patients of a batch share theirs."""
        whose = (patient.clinic_id, patient.state, patient.weekdays, patient.zone)
        if whose not in self._times_of:
            wishes = Wishes(weekdays_from_mask(patient.weekdays))
            lawful = self._book.of(patient.clinic_id, patient.state).wished(wishes)
            self._times_of[whose] = self._times_in(patient.zone, lawful)
        return self._times_of[whose]

    def _times_in(self, zone_name: str, lawful: ContactHours) -> _Times:
        key = (zone_name, lawful)
        if key not in self._known_times:
            zone = ZoneInfo(zone_name)
            began_at = day_began_at(self._now, zone)
            day_ends_at = day_began_at(began_at + timedelta(hours=36), zone)
            self._known_times[key] = _Times(
                began_at,
                day_ends_at,
                next_allowed_at(self._now, zone, lawful),
                next_allowed_at(day_ends_at, zone, lawful),
            )
        return self._known_times[key]


def _frees_at(sent: Sequence[datetime], per_week: int) -> datetime | None:
    """Return when fewer than ``per_week`` of the texts ``sent`` are of the last seven days."""
    return sorted(sent)[-per_week] + timedelta(days=7) if len(sent) >= per_week else None


def _alert_facts(row: Any) -> SendFacts:
    return SendFacts(kind=row.kind, expires_at=row.expires_at)
