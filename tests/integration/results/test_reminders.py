"""The text that it is time to measure: once a window, to whom it helps, while it helps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.measures.rules import MeasureKind
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource, ConsentTopic
from outreach.programmes import protocol
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import PUBLISHED_PROTOCOL, EnrolmentStatus
from outreach.results import reminders
from outreach.results.jobs import write_measure_reminders
from tests.builders import (
    LONG_AGO,
    make_clinic,
    make_enrolment,
    make_patient,
    make_reading,
    make_staff,
)
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.fakes import FakeClock, FakeGateway

TODAY = date(2026, 11, 23)
LEAD = 7
# The best day of month 3 is the 91st: today a week before it.
STARTS_ON = TODAY - timedelta(days=91 - LEAD)


class Ward:
    """A programme that says when to measure, and one patient who agreed to be told."""

    def __init__(self, sessions: Sessions, gateway: FakeGateway, clock: FakeClock) -> None:
        self.sessions, self.gateway, self.clock = sessions, gateway, clock
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session, name="Cedar Creek Clinic")
            self.caller: StaffMember = make_staff(session, self.clinic, name="Ana Morales")
            newest = protocol.newest_version(session, now=LONG_AGO)
            told = replace(PUBLISHED_PROTOCOL, measure_lead_days=LEAD)
            version = ProgrammeVersion(
                programme_id=newest.programme_id,
                number=newest.number + 1,
                data=told.as_data(),
                created_at=LONG_AGO,
            )
            session.add(version)
            session.flush()
            self.version_id = version.id
            self.silent_version_id = newest.id
            self.rosa: Patient = self.patient(session)
            self.enrolment: Enrolment = make_enrolment(
                session,
                self.rosa,
                caller=self.caller,
                starts_on=STARTS_ON,
                version_id=self.version_id,
            )

    def patient(self, session: Session) -> Patient:
        patient = make_patient(session, self.clinic)
        self.say(session, patient, ConsentTopic.REMINDERS, ConsentTopic.MEASUREMENTS)
        return patient

    def say(self, session: Session, patient: Patient, *topics: ConsentTopic) -> None:
        consent.agree(
            session,
            patient,
            registry.numbers_of(session, patient.id)[0].e164,
            frozenset(topics),
            source=ConsentSource.FORM,
            by_staff_id=None,
            now=self.clock(),
        )

    def measure(self, *kinds: MeasureKind) -> None:
        with self.sessions.begin() as session:
            patient = session.get_one(Patient, self.rosa.id)
            for kind in kinds:
                make_reading(session, patient, kind, "9", taken_at=self.clock())

    def write(self) -> int:
        return write_measure_reminders(self.sessions, self.clock)

    def messages(self) -> list[Message]:
        with self.sessions() as session:
            return list(
                session.scalars(
                    select(Message)
                    .where(Message.kind == MessageKind.MEASUREMENT_DUE)
                    .order_by(Message.id)
                )
            )


@pytest.fixture
def ward(sessions: Sessions, gateway: FakeGateway, clock: FakeClock) -> Ward:
    return Ward(sessions, gateway, clock)


def test_it_goes_out_so_many_days_before_the_best_day_and_once_a_window(ward: Ward) -> None:
    ward.clock.advance(-timedelta(days=1))
    assert ward.write() == 0
    ward.clock.advance(timedelta(days=1))

    assert ward.write() == 1
    assert ward.write() == 0
    assert send_due_messages(ward.sessions, ward.gateway, ward.clock) == 1
    ward.clock.advance(timedelta(days=20))
    assert ward.write() == 0, "the window is the same"

    (text,) = ward.gateway.sent
    assert text.body.startswith("Cedar Creek Clinic, (512) 555-0100: it is time for the check")
    assert "Ana will ask you" in text.body


def test_it_can_go_out_until_the_window_closes_where_the_patient_lives(ward: Ward) -> None:
    ward.write()

    (message,) = ward.messages()

    assert message.expires_at is not None
    last = STARTS_ON + timedelta(days=120)
    assert message.expires_at.isoformat() == f"{last + timedelta(days=1)}T06:00:00+00:00"


def no_topic(ward: Ward) -> None:
    with ward.sessions.begin() as session:
        ward.say(session, session.get_one(Patient, ward.rosa.id), ConsentTopic.REMINDERS)


def stop(ward: Ward) -> None:
    with ward.sessions.begin() as session:
        patient = session.get_one(Patient, ward.rosa.id)
        consent.note(
            session,
            patient,
            Channel.SMS,
            "+15125550147",
            is_given=False,
            source=ConsentSource.SMS,
            by_staff_id=None,
            now=ward.clock(),
        )


def everything_measured(ward: Ward) -> None:
    ward.measure(MeasureKind.HBA1C, MeasureKind.PHQ9_TOTAL)


def between_windows(ward: Ward) -> None:
    change(ward, starts_on=TODAY - timedelta(days=40))


def paused(ward: Ward) -> None:
    change(ward, status=EnrolmentStatus.PAUSED)


def silent_programme(ward: Ward) -> None:
    change(ward, version_id=ward.silent_version_id)


def change(ward: Ward, **values: object) -> None:
    with ward.sessions.begin() as session:
        enrolment = session.get_one(Enrolment, ward.enrolment.id)
        for name, value in values.items():
            setattr(enrolment, name, value)


@pytest.mark.parametrize(
    "why", [no_topic, stop, everything_measured, between_windows, paused, silent_programme]
)
def test_none_where_it_would_be_wrong(ward: Ward, why: Callable[[Ward], None]) -> None:
    why(ward)

    assert ward.write() == 0


def test_what_is_half_measured_is_still_asked_for(ward: Ward) -> None:
    ward.measure(MeasureKind.HBA1C)

    assert ward.write() == 1


def test_one_that_waits_is_dropped_when_all_is_measured_meanwhile(ward: Ward) -> None:
    ward.clock.advance(timedelta(hours=13))  # eleven at night
    ward.write()
    assert send_due_messages(ward.sessions, ward.gateway, ward.clock) == 0
    everything_measured(ward)

    ward.write()
    ward.clock.advance(timedelta(hours=12))
    send_due_messages(ward.sessions, ward.gateway, ward.clock)

    assert ward.gateway.sent == []
    (message,) = ward.messages()
    assert (message.status, message.skip_reason) == (MessageStatus.SKIPPED, SkipReason.MEASURED)


def test_it_goes_by_the_patients_own_day(ward: Ward) -> None:
    change(ward, starts_on=STARTS_ON + timedelta(days=1))
    ward.clock.now = NOW + timedelta(hours=9)  # 01:00 of the next day in UTC, 19:00 in Chicago
    assert ward.write() == 0
    ward.clock.advance(timedelta(hours=6))  # past midnight in Chicago

    assert ward.write() == 1


def test_many_are_told_batch_by_batch(ward: Ward) -> None:
    with ward.sessions.begin() as session:
        for _each in range(4):
            make_enrolment(
                session,
                ward.patient(session),
                caller=ward.caller,
                starts_on=STARTS_ON,
                version_id=ward.version_id,
            )
    found, after_id = [], 0
    with ward.sessions() as session:
        while True:
            batch = reminders.due(session, now=ward.clock(), after_id=after_id, limit=2)
            found += [each["dedupe_key"] for each in batch.texts]
            if batch.last_id is None:
                break
            after_id = batch.last_id

    assert len(found) == len(set(found)) == 5
