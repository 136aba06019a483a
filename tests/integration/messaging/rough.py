"""A clinic's texts of every kind, by a rough carrier, with our process killed at random."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.calls.jobs import write_courtesies
from outreach.calls.rules import Outcome
from outreach.concerns.jobs import alert_unanswered
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus
from outreach.inbox import receiving
from outreach.messaging import outbox, receipts, setting
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import (
    AFTER_STOP,
    BY_CHOICE,
    REPLIES,
    MessageKind,
    MessageStatus,
)
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.patients.rules import TOPICS, Channel, ConsentSource
from outreach.planning.jobs import write_reminders
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes import protocol
from outreach.programmes.models import CadenceChoice, Enrolment, ProgrammeVersion
from outreach.programmes.rules import PUBLISHED_PROTOCOL
from outreach.results.jobs import write_measure_reminders
from outreach.telephony.gateway import InboundSms
from tests.builders import (
    LONG_AGO,
    make_attempt,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.carrier import Killed, RoughCarrier
from tests.fakes import FakeClock

PATIENTS = 200
ZONES = ("America/New_York", "America/Chicago", "America/Phoenix", "America/Los_Angeles")
TICKS = (7, 15, 18, 22, 24)  # UTC; the first is night everywhere
MINUTES = (0, 1, 12, 45)  # of each tick: a lost answer is settled within it
CLINICS_NUMBER = "+15125559999"
TO_STAFF = (MessageKind.ALERT, MessageKind.DIGEST)
EVERYTHING = Scope(everything=True, clinic_ids=frozenset(), staff_id=0)
# What patients write, and how often.
SAYINGS = ("C", "2", "1", "HELP", "my dog is ill", "my dog is ill", "thanks", "sugar 132")
STOPS, STARTS = ("STOP", "please stop texting me"), ("START",)
DANGER = "I want to kill myself"


@dataclass(eq=False)
class Killer:
    """Ends our process before a statement or commit, once in a while."""

    rng: random.Random
    often: float = 0.01
    kills: int = 0
    is_asleep: bool = True

    def __call__(self, *_arguments: Any) -> None:
        if not self.is_asleep and self.rng.random() < self.often:
            self.kills += 1
            raise Killed

    @contextmanager
    def awake(self) -> Iterator[None]:
        self.is_asleep = False
        try:
            yield
        except Killed:
            pass
        finally:
            self.is_asleep = True


@dataclass
class Life:
    """The clinic, its patients, the carrier, and chance.

    ``stopped`` are the patients who get no texts.
    """

    engine: Engine
    rng: random.Random
    clock: FakeClock = field(default_factory=FakeClock)
    stopped: set[int] = field(default_factory=set)
    seen: int = 0
    heard: int = 0
    resent: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sessions = orm.make_sessions(self.engine)
        self.carrier = RoughCarrier(self.clock, rng=self.rng)
        self.killer = Killer(self.rng)
        self.midnight = datetime.combine(self.clock().date(), time(), tzinfo=self.clock().tzinfo)
        with self.sessions.begin() as session:
            self._fill(session)
        self.zones = {each.id: ZoneInfo(each.zone) for each in self.people}
        self.of_number = {number_of(n): each for n, each in enumerate(self.people)}
        for name in ("before_cursor_execute", "commit"):
            event.listen(self.engine, name, self.killer)

    def _fill(self, session: Session) -> None:
        clinic = make_clinic(session, phone_number=CLINICS_NUMBER)
        self.caller: StaffMember = make_staff(session, clinic)
        manager = make_staff(session, clinic, Role.MANAGER, phone="+12025550101")
        make_on_call(session, clinic, make_staff(session, clinic, Role.NURSE, phone="+12025550102"))
        setting.choose(
            session, EVERYTHING, clinic.id, BY_CHOICE, by_staff_id=manager.id, now=LONG_AGO
        )
        newest = protocol.newest_version(session, now=LONG_AGO)
        told = ProgrammeVersion(
            programme_id=newest.programme_id,
            number=newest.number + 1,
            data=replace(PUBLISHED_PROTOCOL, measure_lead_days=0).as_data(),
            created_at=LONG_AGO,
        )
        session.add(told)
        session.flush()
        self.people = []
        for number in range(PATIENTS):
            patient = make_patient(
                session, clinic, phone=number_of(number), zone=ZONES[number % len(ZONES)]
            )
            agree(session, patient, number_of(number), now=LONG_AGO)
            self.people.append(patient)
        self.enrolments = [
            make_enrolment(session, each, caller=self.caller, version_id=told.id)
            for each in self.people
        ]

    def day(self, ahead: int) -> None:
        start = self.midnight + timedelta(days=ahead)
        self._plan_calls(start)
        for hour in TICKS:
            for minute in MINUTES:
                self.clock.now = start + timedelta(hours=hour, minutes=minute)
                self._tick(writes=minute == 0)
            self._change_minds()

    def settle(self) -> None:
        """Let all that is open come to an end, by a carrier that is well again."""
        self.carrier.trouble = self.carrier.kills = self.killer.often = 0.0
        for _half in range(12 * 9):
            self.clock.advance(timedelta(hours=2))
            self._tick(writes=False)
        self._see_to_concerns()

    def _tick(self, *, writes: bool) -> None:
        sessions, clock, carrier = self.sessions, self.clock, self.carrier
        jobs: list[Callable[[], object]] = [
            lambda: send_due_messages(sessions, carrier, clock, connections=3),
            lambda: settle_lost_messages(sessions, carrier, clock),
        ]
        if writes:
            self._happen()
            jobs = [
                lambda: write_reminders(sessions, clock),
                lambda: write_courtesies(sessions, clock),
                lambda: write_measure_reminders(sessions, clock),
                lambda: alert_unanswered(sessions, clock),
                self._resend,
                *jobs,
            ]
            for _each in range(4):
                self._hear()
        for job in jobs:
            with self.killer.awake():
                job()
        with self.killer.awake():
            self._hear_reports()
        self._check_new()

    def _plan_calls(self, start: datetime) -> None:
        """Everybody has a call about twice a week; the one of before is over."""
        with self.sessions.begin() as session:
            session.execute(
                update(PlannedCall)
                .where(PlannedCall.dial_from_at < start)
                .values(status=CallStatus.COMPLETED)
            )
            open_ids = set(
                session.scalars(
                    select(PlannedCall.enrolment_id).where(PlannedCall.status == CallStatus.PLANNED)
                )
            )
            for enrolment in self.enrolments:
                if enrolment.id in open_ids or self.rng.random() > 0.4:
                    continue
                at = start + timedelta(days=2, hours=19)
                make_planned_call(
                    session,
                    session.get_one(Enrolment, enrolment.id),
                    at.date(),
                    dial_from_at=at,
                    dial_until_at=at + timedelta(hours=3),
                )

    def _happen(self) -> None:
        """Calls nobody answers, times that are agreed on, and choices of how often."""
        now = self.clock()
        with self.sessions.begin() as session:
            calls = session.scalars(
                select(PlannedCall)
                .where(PlannedCall.status == CallStatus.PLANNED)
                .order_by(PlannedCall.id)
            ).all()
            for call in self.rng.sample(calls, min(8, len(calls))):
                is_agreed = self.rng.random() < 0.4
                outcome = Outcome.CALL_BACK if is_agreed else Outcome.NO_ANSWER
                make_attempt(
                    session, call, self.caller, outcome=outcome, at=now - timedelta(minutes=15)
                )
                call.is_agreed = is_agreed
            for enrolment in self.rng.sample(self.enrolments, 2):
                session.add(
                    CadenceChoice(
                        clinic_id=enrolment.clinic_id,
                        patient_id=enrolment.patient_id,
                        enrolment_id=enrolment.id,
                        phase="weeks_2_to_4",
                        value=3,
                        chosen_at=now - timedelta(minutes=15),
                    )
                )
        if self.rng.random() < 0.2:
            self._see_to_concerns()

    def _see_to_concerns(self) -> None:
        """A nurse takes on what goes round."""
        with self.sessions.begin() as session:
            session.execute(
                update(Concern)
                .where(Concern.status == ConcernStatus.OPEN)
                .values(
                    status=ConcernStatus.ACKNOWLEDGED,
                    acknowledged_at=self.clock(),
                    acknowledged_by_id=self.caller.id,
                )
            )

    def _hear(self) -> None:
        """A patient writes. What we fail to take is handed over again, and what we took, too."""
        self.heard += 1
        place = self.rng.randrange(PATIENTS)
        patient = self.people[place]
        body = self._saying(patient)
        news = InboundSms(f"SMin{self.heard}", number_of(place), CLINICS_NUMBER, body)
        taken = 0
        while taken < 2:
            with self.killer.awake():
                with self.sessions.begin() as session:
                    receiving.receive(session, news, house_sender=None, now=self.clock())
                taken += 1
        if body in STOPS:
            self.stopped.add(patient.id)
        if body in STARTS:
            self.stopped.discard(patient.id)

    def _saying(self, patient: Patient) -> str:
        chance = self.rng.random()
        if chance < 0.06:
            return DANGER
        if chance < 0.3:
            return self.rng.choice(STARTS if patient.id in self.stopped else STOPS)
        return self.rng.choice(SAYINGS)

    def _resend(self) -> None:
        """A manager sends again, twice by mistake, what was refused."""
        with self.sessions.begin() as session:
            refused = session.scalars(
                select(Message)
                .where(Message.status == MessageStatus.FAILED, Message.provider_id.is_(None))
                .order_by(Message.id)
            ).all()
            again = [each for each in refused if each.id not in self.resent]
            for message in self.rng.sample(again, min(3, len(again))):
                new_id = outbox.resend(session, message, now=self.clock())
                assert outbox.resend(session, message, now=self.clock()) is None
                if new_id is not None:
                    self.resent.add(message.id)

    def _hear_reports(self) -> None:
        """Late, twice and in any order; one that we fail to take is told again."""
        self.rng.shuffle(self.carrier.reports)
        for _each in range(len(self.carrier.reports) * 2 // 3):
            message_id, report = self.carrier.reports[-1]
            with self.sessions.begin() as session:
                assert receipts.apply(session, message_id, report, now=self.clock())
            self.carrier.reports.pop()

    def _change_minds(self) -> None:
        """Some say on a call that they want no texts, or want them again."""
        for person in self.rng.sample(self.people, 2):
            number = number_of(self.people.index(person))
            with self.sessions.begin() as session:
                patient = session.get_one(Patient, person.id)
                if person.id in self.stopped:
                    agree(session, patient, number, now=self.clock())
                else:
                    consent.note(
                        session,
                        patient,
                        Channel.SMS,
                        number,
                        is_given=False,
                        source=ConsentSource.CALL,
                        by_staff_id=None,
                        now=self.clock(),
                    )
            self.stopped ^= {person.id}

    def _check_new(self) -> None:
        """Judge each text at the moment at which the carrier took it."""
        new = self.carrier.taken[self.seen :]
        self.seen += len(new)
        with self.sessions() as session:
            rows = session.execute(
                select(Message.id, Message.kind).where(
                    Message.id.in_([sms.reference for _at, sms in new])
                )
            )
            kinds = {row.id: row.kind for row in rows}
            for at, sms in new:
                self._check(session, kinds[sms.reference], sms.to, at)

    def _check(self, session: Session, kind: MessageKind, number: str, at: datetime) -> None:
        if kind in TO_STAFF:
            assert number.startswith("+1202"), "to one of the staff"
            return
        patient = self.of_number[number]
        assert patient.id not in self.stopped or kind in AFTER_STOP, "after STOP"
        if kind in REPLIES:
            return
        local = at.astimezone(self.zones[patient.id])
        assert time(9) <= local.time() < time(20), "in quiet hours"
        assert local.weekday() != 6, "on a Sunday"
        writing = session.scalar(
            select(InboundText.id).where(
                InboundText.from_number == number,
                InboundText.open_until > at,
                InboundText.answered_at.is_(None),
            )
        )
        assert writing is None, "while they wait for an answer"


def number_of(place: int) -> str:
    """Return the telephone of a patient, by their place in the list."""
    return f"+1512555{place:04d}"


def agree(session: Session, patient: Patient, number: str, *, now: datetime) -> None:
    """Let a patient agree to every kind of text."""
    consent.agree(
        session,
        patient,
        number,
        frozenset(TOPICS[Channel.SMS]),
        source=ConsentSource.FORM,
        by_staff_id=None,
        now=now,
    )


def check_limits(life: Life, unasked: set[int]) -> None:
    """At most one text a day and three in seven days that nobody asked for."""
    of_number: dict[str, list[datetime]] = {}
    for at, sms in life.carrier.taken:
        if sms.reference in unasked:
            of_number.setdefault(sms.to, []).append(at)
    for number, times in of_number.items():
        zone = life.zones[life.of_number[number].id]
        days = Counter(at.astimezone(zone).date() for at in times)
        assert max(days.values()) == 1, "two a day"
        for fourth, first in zip(times[3:], times, strict=False):
            assert fourth - first >= timedelta(days=7), "four a week"
