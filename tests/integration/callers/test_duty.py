"""Who is on duty: the caller, or whoever covers, and nobody's rows to run for it."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.panels import duty
from outreach.panels.models import PanelMembership
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_absence,
    make_clinic,
    make_cover,
    make_enrolment,
    make_membership,
    make_patient,
    make_staff,
)

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 6, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)


class Place(NamedTuple):
    clinic: Clinic
    own: StaffMember
    stand_in: StaffMember
    enrolment: Enrolment


@pytest.fixture
def place(session: Session) -> Place:
    clinic = make_clinic(session)
    own, stand_in = make_staff(session, clinic), make_staff(session, clinic)
    enrolment = make_enrolment(session, make_patient(session, clinic), caller=own)
    return Place(clinic, own, stand_in, enrolment)


def called_by(session: Session, caller: StaffMember, at: datetime) -> list[int]:
    return list(
        session.scalars(
            select(PanelMembership.enrolment_id)
            .where(duty.enrolments_of(caller.id, at))
            .order_by(PanelMembership.enrolment_id)
        )
    )


def uncovered(session: Session, at: datetime, ahead: timedelta = timedelta()) -> list[int]:
    return list(
        session.scalars(
            select(PanelMembership.enrolment_id)
            .where(duty.is_uncovered(at, ahead=ahead))
            .order_by(PanelMembership.enrolment_id)
        )
    )


def test_the_calls_go_over_and_come_back_by_themselves(session: Session, place: Place) -> None:
    absence = make_absence(session, place.own, place.clinic.id)
    make_cover(session, absence, place.enrolment, place.stand_in)
    id_of = place.enrolment.id

    for at, expected in (
        (MONDAY - MOMENT, place.own),
        (MONDAY, place.stand_in),
        (SATURDAY - MOMENT, place.stand_in),
        (SATURDAY, place.own),
    ):
        assert duty.on_duty(session, id_of, now=at) == expected.id
        other = place.stand_in if expected is place.own else place.own
        assert called_by(session, expected, at) == [id_of]
        assert called_by(session, other, at) == []


def test_a_stand_in_who_is_away_is_covered_in_turn(session: Session, place: Place) -> None:
    outer = make_absence(session, place.own, place.clinic.id)
    make_cover(session, outer, place.enrolment, place.stand_in)
    third = make_staff(session, place.clinic)
    inner = make_absence(
        session, place.stand_in, place.clinic.id, from_at=MONDAY + DAY, until_at=MONDAY + 2 * DAY
    )
    make_cover(session, inner, place.enrolment, third)

    on_duty = [
        duty.on_duty(session, place.enrolment.id, now=MONDAY + hours * timedelta(hours=1))
        for hours in (0, 24, 48, 120)
    ]

    assert on_duty == [place.stand_in.id, third.id, place.stand_in.id, place.own.id]
    assert called_by(session, place.stand_in, MONDAY + DAY) == []
    assert called_by(session, third, MONDAY + DAY) == [place.enrolment.id]


def test_an_ended_cover_counts_no_more(session: Session, place: Place) -> None:
    absence = make_absence(session, place.own, place.clinic.id)
    cover = make_cover(session, absence, place.enrolment, place.stand_in)
    cover.ended_at = MONDAY + DAY
    session.flush()

    assert duty.on_duty(session, place.enrolment.id, now=MONDAY + 2 * DAY) == place.own.id
    assert duty.was_on_duty(
        session, place.enrolment.id, place.stand_in.id, at=MONDAY + DAY - MOMENT
    )
    assert not duty.was_on_duty(session, place.enrolment.id, place.stand_in.id, at=MONDAY + DAY)


def test_who_was_the_caller_then_was_on_duty_then(session: Session, place: Place) -> None:
    membership = session.scalars(
        select(PanelMembership).where(PanelMembership.enrolment_id == place.enrolment.id)
    ).one()
    membership.until_at = SATURDAY
    session.flush()
    make_membership(session, place.enrolment, place.stand_in, from_at=SATURDAY)

    assert duty.was_on_duty(session, place.enrolment.id, place.own.id, at=SATURDAY - MOMENT)
    assert not duty.was_on_duty(session, place.enrolment.id, place.own.id, at=SATURDAY)
    assert not duty.was_on_duty(session, place.enrolment.id, place.stand_in.id, at=MONDAY)


def test_patients_of_somebody_absent_are_uncovered_until_somebody_stands_in(
    session: Session, place: Place
) -> None:
    assert uncovered(session, MONDAY) == []
    absence = make_absence(session, place.own, place.clinic.id)
    assert uncovered(session, MONDAY) == [place.enrolment.id]

    make_cover(session, absence, place.enrolment, place.stand_in)
    assert uncovered(session, MONDAY) == []

    joined = make_enrolment(session, make_patient(session, place.clinic), caller=place.own)
    assert uncovered(session, MONDAY + DAY) == [joined.id]
    assert uncovered(session, SATURDAY) == []


def test_an_absence_to_come_is_looked_at_as_it_will_begin(session: Session, place: Place) -> None:
    absence = make_absence(session, place.own, place.clinic.id)
    before = MONDAY - 3 * DAY

    assert uncovered(session, before, ahead=DAY) == []
    assert uncovered(session, before, ahead=7 * DAY) == [place.enrolment.id]
    make_cover(session, absence, place.enrolment, place.stand_in)
    assert uncovered(session, before, ahead=7 * DAY) == []


def test_patients_are_uncovered_where_the_stand_in_is_away_too(
    session: Session, place: Place
) -> None:
    absence = make_absence(session, place.own, place.clinic.id)
    make_cover(session, absence, place.enrolment, place.stand_in)
    make_absence(
        session, place.stand_in, place.clinic.id, from_at=MONDAY + DAY, until_at=MONDAY + 2 * DAY
    )

    assert uncovered(session, MONDAY) == []
    assert uncovered(session, MONDAY + DAY) == [place.enrolment.id]


def test_a_change_of_caller_ends_what_was_covered(session: Session, place: Place) -> None:
    absence = make_absence(session, place.own, place.clinic.id)
    cover = make_cover(session, absence, place.enrolment, place.stand_in)

    duty.end_covers(session, [place.enrolment.id], now=MONDAY)

    session.refresh(cover)
    assert cover.ended_at == MONDAY
    assert duty.on_duty(session, place.enrolment.id, now=MONDAY + DAY) == place.own.id


def test_only_who_takes_over_has_something_to_read(session: Session, place: Place) -> None:
    id_of = place.enrolment.id

    assert duty.unread_handover(session, id_of, place.own.id, now=MONDAY) is None
    absence = make_absence(session, place.own, place.clinic.id)
    cover = make_cover(session, absence, place.enrolment, place.stand_in)
    assert duty.unread_handover(session, id_of, place.stand_in.id, now=MONDAY) is cover
    assert duty.unread_handover(session, id_of, place.stand_in.id, now=SATURDAY) is None
    cover.opened_at = MONDAY
    session.flush()
    assert duty.unread_handover(session, id_of, place.stand_in.id, now=MONDAY) is None
