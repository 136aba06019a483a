"""Telephones of the staff are encrypted; nobody misses an alert while they come to be.

``as_kept`` is what the release before reads and writes: it knows the columns as plain text.
"""

import logging
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Text, func, insert, literal, select, text, type_coerce, update
from sqlalchemy.orm import Session

from outreach import sealing
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import alerting, raising, rota
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, Trigger, Urgency
from outreach.messaging import outbox
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.orm import Sessions
from outreach.patients.models import Patient, PhoneNumber
from outreach.phoning import bridging, work_phone
from outreach.phoning.models import PhoneCall
from outreach.sealed_sql import AlreadyEncrypted
from outreach.sealing import NUMBERS, STAFF_NUMBERS
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock, FakeGateway
from tests.telephones import make_phone_call

FIRST, SECOND = "+15125550111", "+15125550122"
COLUMNS = (StaffMember.phone, StaffMember.work_phone, PhoneCall.staff_number)


@pytest.fixture
def clinic(sessions: Sessions) -> Clinic:
    """A clinic with two nurses who are told of concerns, one of whom rings patients too."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        nurse = make_staff(session, clinic, Role.NURSE, phone=FIRST, work_phone=FIRST)
        make_staff(session, clinic, Role.NURSE, phone=SECOND)
        patient = make_patient(session, clinic, phone=FIRST)
        planned = make_planned_call(session, make_enrolment(session, patient, caller=nurse))
        make_phone_call(session, planned, nurse, staff_number=FIRST)
        return clinic


def as_kept(session: Session, *columns: object) -> list[str]:
    found = [session.scalars(select(type_coerce(each, Text()))) for each in columns or COLUMNS]
    return [value for each in found for value in each if value is not None]


def write_as_kept(session: Session, number: str, value: str) -> None:
    """Write ``value`` past the encryption in place of every ``number``."""
    for column in COLUMNS:
        found = update(column.class_).where(sealing.is_either(column, number))
        session.execute(found.values({column.key: literal(value, AlreadyEncrypted())}))


def worry(sessions: Sessions, clock: FakeClock) -> int:
    raised = raising.Raised(Trigger(ConcernKind.GLUCOSE_LOW, Urgency.NOW), "48 mg/dL")
    with sessions.begin() as session:
        patient = session.scalars(select(Patient)).one()
        return raising.raise_concern(session, patient, raised, by_staff_id=None, now=clock()).id


def test_numbers_are_sealed_and_come_back(clinic: Clinic, sessions: Sessions) -> None:
    with sessions() as session:
        kept = as_kept(session)
        assert len(kept) == 4
        assert all(each.startswith("s1.") for each in kept)
        for column in COLUMNS:
            assert FIRST in session.scalars(select(column)).all()
        assert set(session.scalars(select(StaffMember.phone))) == {FIRST, SECOND}


def test_one_who_has_a_number_of_a_patient_is_not_told_apart_by_it(
    clinic: Clinic, sessions: Sessions
) -> None:
    with sessions() as session:
        of_patients = set(session.scalars(select(type_coerce(PhoneNumber.e164, Text()))))
        assert of_patients == {NUMBERS.sealed(FIRST)}
        assert not of_patients & set(as_kept(session))
        with pytest.raises(TypeError, match="encrypted"):
            session.execute(
                select(PhoneNumber.id).join(StaffMember, StaffMember.phone == PhoneNumber.e164)
            )


def test_a_number_from_before_is_read_and_found_as_any_other(
    clinic: Clinic, sessions: Sessions, clock: FakeClock, gateway: FakeGateway
) -> None:
    with sessions.begin() as session:
        write_as_kept(session, FIRST, FIRST)
        assert as_kept(session).count(FIRST) == 3
    with sessions.begin() as session:
        for column in COLUMNS:
            assert FIRST in session.scalars(select(column)).all()
        first = session.scalars(select(PhoneCall)).one()
        for other in (FIRST, SECOND):
            again = {name: getattr(first, name) for name in PhoneCall.__table__.columns.keys()}  # noqa: SIM118
            again |= {"press_key": other, "staff_number": other, "staff_sid": f"of {other}"}
            del again["id"], again["planned_call_id"], again["caller_id"]
            session.execute(insert(PhoneCall), [again])
        for form in (FIRST, STAFF_NUMBERS.sealed(FIRST)):
            write_as_kept(session, FIRST, form)
            assert bridging.known_sids(session, first) == [f"of {FIRST}"]
        write_as_kept(session, FIRST, FIRST)

    worry(sessions, clock)
    send_due_messages(sessions, gateway, clock)
    assert sorted({sms.to for sms in gateway.sent}) == [FIRST, SECOND]


def test_what_the_release_before_copies_sealed_is_the_number(
    clinic: Clinic, sessions: Sessions
) -> None:
    """It takes a caller's telephone for its call, and may meet a sealed one."""
    with sessions.begin() as session:
        (sealed,) = as_kept(session, StaffMember.work_phone)
        write_as_kept(session, FIRST, sealed)
    with sessions() as session:
        assert session.scalars(select(PhoneCall.staff_number)).all() == [FIRST]


def test_an_alert_that_the_release_before_writes_to_a_sealed_number_goes_out(
    clinic: Clinic, sessions: Sessions, clock: FakeClock, gateway: FakeGateway
) -> None:
    with sessions.begin() as session:
        person = session.scalars(select(StaffMember).where(StaffMember.phone == FIRST)).one()
        window = (clock(), clock() + timedelta(hours=1))
        row = outbox.new_alert(
            person, clinic.id, "Sign in.", dedupe_key="old", cause="old", window=window, now=clock()
        )
        outbox.write(session, [row | {"to_number": STAFF_NUMBERS.sealed(FIRST)}])
    with sessions() as session:
        assert session.scalars(select(Message.to_number)).all() == [FIRST]

    assert send_due_messages(sessions, gateway, clock) == 1

    assert [sms.to for sms in gateway.sent] == [FIRST]


def test_one_number_that_cant_be_read_keeps_nobody_from_being_told(
    clinic: Clinic,
    sessions: Sessions,
    clock: FakeClock,
    gateway: FakeGateway,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with sessions.begin() as session:
        write_as_kept(session, FIRST, "s1.lost.AAAA")
    concern_id = worry(sessions, clock)
    with caplog.at_level(logging.ERROR), sessions.begin() as session:
        people = rota.people(session, clinic.id, now=clock())
        assert {person.phone for person in people} == {None, SECOND}
        concern = session.get_one(Concern, concern_id)
        alerting.stop(session, concern, now=clock())
    assert "can't be decrypted" in caplog.text
    worry(sessions, clock)

    send_due_messages(sessions, gateway, clock)

    assert {sms.to for sms in gateway.sent} == {SECOND}


def test_while_the_release_before_may_run_numbers_are_written_so_that_it_can_read_them(
    clinic: Clinic, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sealing.cipher()
    keys = [("k", b"1" * 32)]
    try:
        sealing.use(keys, in_clear_for=100)
        with sessions.begin() as session:
            person_id = session.scalar(select(func.min(StaffMember.id))) or 0
            work_phone.keep(session, person_id, "+15125550133")
            rota.keep_number(session, person_id, "+15125550144")
        with sessions.begin() as session:
            kept = as_kept(session, StaffMember.phone, StaffMember.work_phone)
            assert {"+15125550133", "+15125550144"} < set(kept)
            later = time.monotonic() + 101
            monkeypatch.setattr(sealing, "time", SimpleNamespace(monotonic=lambda: later))
            work_phone.keep(session, person_id, "+15125550155")
        with sessions() as session:
            (kept_now,) = as_kept(session, StaffMember.work_phone)
            assert kept_now.startswith("s1.k.")
            person = session.get_one(StaffMember, person_id)
            assert (person.phone, person.work_phone) == ("+15125550144", "+15125550155")
            assert session.scalar(text("SELECT count(*) FROM staff_member")) == 2
    finally:
        sealing.use(keys)
        sealing._in_use[:] = [before]
