"""Texts of 200 patients over a long time, by a rough carrier, with every process killed at random.

Nobody gets the same text twice, none is lost, and none goes out at night, on a Sunday, after
STOP, or beyond one a day and three a week. A whole year: ``OUTREACH_YEAR=1``.
"""

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, func, select, update

from outreach import orm
from outreach.messaging import outbox, receipts
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource
from outreach.planning.jobs import write_reminders
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.carrier import Killed, RoughCarrier
from tests.fakes import FakeClock

PATIENTS = 200
DAYS = 365 if os.environ.get("OUTREACH_YEAR") else 14
ZONES = ("America/New_York", "America/Chicago", "America/Phoenix", "America/Los_Angeles")
TICKS = (7, 15, 18, 22, 24)  # UTC; the first is night everywhere
MINUTES = (0, 1, 6, 8)  # of each tick: a lost answer is settled within it
UNSETTLED = (MessageStatus.SCHEDULED, MessageStatus.CALLING, MessageStatus.UNKNOWN)


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
    """The clinic, its patients, the carrier, and chance."""

    engine: Engine
    rng: random.Random
    clock: FakeClock = field(default_factory=FakeClock)
    stopped: set[int] = field(default_factory=set)
    ever_stopped: set[int] = field(default_factory=set)
    extra: int = 0
    seen: int = 0

    def __post_init__(self) -> None:
        self.sessions = orm.make_sessions(self.engine)
        self.carrier = RoughCarrier(self.clock, rng=self.rng)
        self.killer = Killer(self.rng)
        self.midnight = datetime.combine(self.clock().date(), time(), tzinfo=self.clock().tzinfo)
        with self.sessions.begin() as session:
            clinic = make_clinic(session)
            caller = make_staff(session, clinic)
            self.people = [
                make_patient(
                    session,
                    clinic,
                    phone=f"+1512555{number:04d}",
                    sms_consent=True,
                    zone=ZONES[number % len(ZONES)],
                )
                for number in range(PATIENTS)
            ]
            self.enrolments = [make_enrolment(session, each, caller=caller) for each in self.people]
        self.zones = {each.id: ZoneInfo(each.zone) for each in self.people}
        for name in ("before_cursor_execute", "commit"):
            event.listen(self.engine, name, self.killer)

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
        for _hour in range(24 * 5):
            self.clock.advance(timedelta(hours=1))
            self._tick(writes=False)
            self.clock.advance(timedelta(minutes=6))
            self._tick(writes=False)

    def _tick(self, *, writes: bool) -> None:
        sessions, clock, carrier = self.sessions, self.clock, self.carrier
        jobs: list[Callable[[], object]] = [
            lambda: send_due_messages(sessions, carrier, clock, connections=3),
            lambda: settle_lost_messages(sessions, carrier, clock),
        ]
        if writes:
            jobs = [lambda: write_reminders(sessions, clock), self._write_more, *jobs]
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

    def _write_more(self) -> None:
        """Texts that compete with reminders, written twice, as a job killed half-way does."""
        with self.sessions.begin() as session:
            for person in self.rng.sample(self.people, 6):
                self.extra += 1
                row = outbox.new_message(
                    person,
                    MessageKind.REMINDER,
                    f"Extra {self.extra}",
                    dedupe_key=f"extra:{self.extra}",
                    cause="extra",
                    to_number=f"+1512555{self.people.index(person):04d}",
                    window=(self.clock(), self.clock() + timedelta(days=3)),
                    now=self.clock(),
                )
                assert outbox.write(session, [row]) + outbox.write(session, [row]) == 1

    def _hear_reports(self) -> None:
        """Late, twice and in any order; one that we fail to take is told again."""
        self.rng.shuffle(self.carrier.reports)
        for _each in range(len(self.carrier.reports) * 2 // 3):
            message_id, report = self.carrier.reports[-1]
            with self.sessions.begin() as session:
                assert receipts.apply(session, message_id, report, now=self.clock())
            self.carrier.reports.pop()

    def _change_minds(self) -> None:
        for person in self.rng.sample(self.people, 2):
            is_given = person.id in self.stopped
            with self.sessions.begin() as session:
                consent.note(
                    session,
                    session.get_one(Patient, person.id),
                    Channel.SMS,
                    f"+1512555{self.people.index(person):04d}",
                    is_given=is_given,
                    source=ConsentSource.CALL,
                    by_staff_id=None,
                    now=self.clock(),
                )
            self.stopped ^= {person.id}
            self.ever_stopped.add(person.id)

    def _check_new(self) -> None:
        """Judge each text at the moment at which the carrier took it."""
        of_number = {f"+1512555{n:04d}": each for n, each in enumerate(self.people)}
        for at, sms in self.carrier.taken[self.seen :]:
            patient = of_number[sms.to]
            local = at.astimezone(self.zones[patient.id])
            assert patient.id not in self.stopped, "after STOP"
            assert time(9) <= local.time() < time(20), "in quiet hours"
            assert local.weekday() != 6, "on a Sunday"
        self.seen = len(self.carrier.taken)


def _in_haste(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # a power cut is not what is tried here


@pytest.fixture
def life(engine: Engine) -> Life:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _in_haste)
    return Life(engine, random.Random(5))  # noqa: S311 - repeatable chance


def test_nobody_is_texted_twice_or_at_a_wrong_hour_and_nothing_is_lost(life: Life) -> None:
    for ahead in range(DAYS):
        life.day(ahead)
    life.settle()

    references = Counter(sms.reference for _at, sms in life.carrier.taken)
    assert life.killer.kills > DAYS, "chance was asleep"
    assert set(references.values()) == {1}, "the same text twice"
    _check_limits(life)
    with life.sessions() as session:
        open_ones = session.scalar(
            select(func.count()).select_from(Message).where(Message.status.in_(UNSETTLED))
        )
        rows = session.execute(select(Message.id, Message.status, Message.skip_reason)).all()
    assert open_ones == 0, "a text without an end"
    for message_id, status, skip in rows:
        went_out = message_id in references
        assert went_out == (status not in (MessageStatus.SKIPPED, MessageStatus.FAILED))
        assert (skip is not None) == (status is MessageStatus.SKIPPED)
    reasons = {row.skip_reason for row in rows}
    assert {SkipReason.DAY_LIMIT, SkipReason.WEEK_LIMIT, SkipReason.NO_CONSENT} <= reasons
    assert len(references) > PATIENTS


def _check_limits(life: Life) -> None:
    of_number: dict[str, list[datetime]] = {}
    for at, sms in life.carrier.taken:
        of_number.setdefault(sms.to, []).append(at)
    zones = {f"+1512555{n:04d}": life.zones[each.id] for n, each in enumerate(life.people)}
    for number, times in of_number.items():
        days = Counter(at.astimezone(zones[number]).date() for at in times)
        assert max(days.values()) == 1, "two a day"
        for fourth, first in zip(times[3:], times, strict=False):
            assert fourth - first >= timedelta(days=7), "four a week"


def test_several_workers_at_once_take_each_text_once(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    life = Life(engine, random.Random(6))  # noqa: S311 - repeatable chance
    life.carrier.trouble = life.carrier.kills = 0.0
    life.clock.now = life.midnight + timedelta(hours=18)
    with life.sessions.begin() as session:
        outbox.write(session, [_row(life, n) for n in range(PATIENTS)])

    threads = [threading.Thread(target=_send_all, args=[life]) for _each in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(sms.to for _at, sms in life.carrier.taken) == sorted(
        f"+1512555{n:04d}" for n in range(PATIENTS)
    )
    assert "one by one" not in caplog.text, "answers are stored by the hundred"


def _send_all(life: Life) -> None:
    while send_due_messages(life.sessions, life.carrier, life.clock, connections=2):
        pass


def _row(life: Life, number: int) -> dict[str, Any]:
    return outbox.new_message(
        life.people[number],
        MessageKind.REMINDER,
        "Hello",
        dedupe_key=f"one:{number}",
        cause="one",
        to_number=f"+1512555{number:04d}",
        window=(life.clock(), None),
        now=life.clock(),
    )
