"""What forbids a call: looked at when it begins, and again before the patient is rung."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from outreach.accounts.models import StaffMember
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from outreach.patients import consent
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from outreach.phoning.models import PhoneCall
from outreach.planning import next_call
from outreach.programmes.enrolment import change_status
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.conftest import sign_in
from tests.fakes import FakeClock, FakeGateway, call_sid
from tests.integration.calls.conftest import Day
from tests.integration.phoning.conftest import (
    ROSAS_PHONE,
    Carrier,
    only_call,
    press,
)


def without_a_phone(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    with sessions.begin() as session:
        session.execute(update(StaffMember).values(work_phone=None))


def at_night(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    clock.advance(timedelta(hours=10, minutes=30))


def number_wrong(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    with sessions.begin() as session:
        session.execute(update(PhoneNumber).values(health=NumberHealth.WRONG))


def stop_said(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    with sessions.begin() as session:
        consent.note(
            session,
            session.get_one(Patient, day.rosa.id),
            Channel.CALL,
            ROSAS_PHONE,
            is_given=False,
            source=ConsentSource.CALL,
            by_staff_id=None,
            now=clock(),
        )


@pytest.mark.parametrize("hindrance", [without_a_phone, at_night, number_wrong, stop_said])
def test_what_forbids_a_call_is_looked_at_when_it_begins(
    app: Flask,
    day: Day,
    gateway: FakeGateway,
    clock: FakeClock,
    sessions: Sessions,
    hindrance: object,
) -> None:
    hindrance(sessions, day, clock)  # type: ignore[operator]
    client = app.test_client()
    sign_in(client, day.ana)

    press(client, day, status=422)

    assert gateway.placed == []
    with sessions() as session:
        assert session.scalars(select(PhoneCall)).all() == []


def test_somebody_whose_patient_it_is_no_longer_does_not_ring_them(
    ana: FlaskClient, day: Day, gateway: FakeGateway, clock: FakeClock, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.execute(update(PanelMembership).values(until_at=clock()))

    press(ana, day, status=404)

    assert gateway.placed == []


def test_a_call_that_somebody_else_has_open_is_not_dialled(
    ana: FlaskClient, day: Day, gateway: FakeGateway, clock: FakeClock, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        session.execute(update(PanelMembership).values(caller_id=day.ben.id))
    ben = ana.application.test_client()
    sign_in(ben, day.ben)
    ben.post(f"/calls/{day.rosa.ref}/start")
    with sessions.begin() as session:
        session.execute(update(PanelMembership).values(caller_id=day.ana.id))

    press(ana, day)

    assert gateway.placed == []


def died(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    with sessions.begin() as session:
        enrolment = session.scalars(select(Enrolment)).one()
        change_status(enrolment, EnrolmentStatus.DIED, reason="told by her son", now=clock())
        session.flush()
        next_call.replan(session, enrolment.id, now=clock())


def evening_over(sessions: Sessions, day: Day, clock: FakeClock) -> None:
    clock.advance(timedelta(minutes=2))


@pytest.mark.parametrize("hindrance", [number_wrong, stop_said, died, evening_over])
def test_what_forbids_it_meanwhile_keeps_the_patient_from_being_rung(
    app: Flask,
    day: Day,
    carrier: Carrier,
    clock: FakeClock,
    sessions: Sessions,
    hindrance: object,
) -> None:
    clock.advance(timedelta(hours=9, minutes=59))
    ana = app.test_client()
    sign_in(ana, day.ana)
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.asks(f"{call_id}/answered", CallSid=call_sid(call_id))
    hindrance(sessions, day, clock)  # type: ignore[operator]

    document = carrier.asks(f"{call_id}/key", CallSid=call_sid(call_id), Digits="1")

    assert "<Dial" not in document
    assert "<Hangup" in document
