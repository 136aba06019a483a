"""Names and addresses of the staff, and clinics' numbers, are encrypted, and found all the same.

``as_before`` lets a value lie in the database as the release before wrote it.
"""

import logging
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Text, func, literal, select, text, type_coerce, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.accounts import appointing, sign_in, staff
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor, Role
from outreach.audit import trail
from outreach.inbox.receiving import _having
from outreach.messaging import pacing
from outreach.messaging.models import SenderPace
from outreach.orm import Sessions
from outreach.oversight import events
from outreach.phoning import returning, work_phone
from outreach.phoning.work_phone import ClinicsOwnNumber
from outreach.sealed_sql import AlreadyEncrypted
from outreach.sql import all_as_json, as_json
from tests.builders import make_clinic, make_staff
from tests.fakes import MONDAY_10_CHICAGO as NOW

sealed_or_before = pytest.mark.parametrize("is_before", [True, False])

NUMBER, SENDER = "+15125550177", "CedarCare"
PEOPLE = {  # in the order in which they are shown
    "ada stone": "ada@example.org",
    "Bea Ortiz": "bea@example.org",
    "Bea  100%_sure": "sure@example.org",
    "Zoë Ångström": "zoe@example.org",
}


@pytest.fixture
def clinic(sessions: Sessions) -> Clinic:
    """A clinic with a sender of its own, and four people with names and addresses."""
    with sessions.begin() as session:
        clinic = make_clinic(session, phone_number=NUMBER, sms_sender=SENDER)
        for name, email in reversed(PEOPLE.items()):
            make_staff(session, clinic, name=name, email=email)
        return clinic


def as_before(session: Session, column: InstrumentedAttribute[Any], value: str) -> None:
    row = update(column.class_).where(type_coerce(column, Text()) == column.type.sealed(value))
    done = session.execute(row.values({column.key: literal(value, AlreadyEncrypted())}))
    assert done.rowcount == 1  # type: ignore[attr-defined]


def made_boss(session: Session, **deviations: Any) -> Actor:
    person = make_staff(session, None, Role.ADMINISTRATOR, **deviations)
    found = staff.actor(session, person.id, now=NOW)
    assert found
    return found


def named(session: Session, text: str) -> list[str]:
    boss = made_boss(session, name="Nobody", email="n@x.org")
    found = appointing.colleagues(session, boss, search=text, today=NOW.date())
    return [each.person.name for each in found]


@sealed_or_before
def test_people_are_found_by_their_address_in_any_case(
    clinic: Clinic, sessions: Sessions, *, is_before: bool
) -> None:
    with sessions.begin() as session:
        if is_before:
            as_before(session, StaffMember.email, "bea@example.org")
        person = sign_in.find(session, " Bea@Example.org ")
        assert person
        assert person.name == "Bea Ortiz"
        assert sign_in.find(session, "nobody@example.org") is None
        again = staff.NewStaff("BEA@example.org", "Other", Role.NURSE, clinic, "UTC")
        with pytest.raises(staff.AlreadyThere):
            staff.add_invited(session, again, by_staff_id=None, now=NOW)
        fresh = staff.NewStaff(" Ida@Example.org", "Ida Rask", Role.NURSE, clinic, "UTC")
        added = staff.add_invited(session, fresh, by_staff_id=None, now=NOW)
        assert added.email == "ida@example.org"
        found = session.scalars(text("SELECT email FROM staff_member WHERE email LIKE '%@%'")).all()
        assert found == (["bea@example.org"] if is_before else [])


def test_people_stand_by_name_whatever_the_case(clinic: Clinic, sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_staff(session, clinic, name="Bea Ortiz", email="zzz@example.org")
        as_before(session, StaffMember.name, "Zoë Ångström")
        callers = staff.callers_of(session, clinic.id, on=NOW.date())
    shown = ["ada stone", "Bea  100%_sure", "Bea Ortiz", "Bea Ortiz", "Zoë Ångström"]
    assert [each.name for each in callers] == shown
    assert callers[2].id < callers[3].id


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("BEA", ["Bea  100%_sure", "Bea Ortiz"]),
        ("a o", ["Bea Ortiz"]),
        ("ÅNGSTRÖM", ["Zoë Ångström"]),
        ("zoe@", ["Zoë Ångström"]),
        ("%_", ["Bea  100%_sure"]),
        ("_", ["Bea  100%_sure"]),
        ("zoe@example.org bea", []),
        (" ", ["ada stone", "Bea  100%_sure", "Bea Ortiz", "Nobody", "Zoë Ångström"]),
    ],
)
def test_people_are_searched_by_a_part_of_name_or_address(
    clinic: Clinic, sessions: Sessions, sought: str, found: list[str]
) -> None:
    with sessions() as session:
        as_before(session, StaffMember.name, "Bea Ortiz")
        as_before(session, StaffMember.email, "zoe@example.org")
        session.commit()
        assert named(session, sought) == found


def test_what_somebody_did_is_found_by_their_name(clinic: Clinic, sessions: Sessions) -> None:
    with sessions.begin() as session:
        boss = made_boss(session, name="Cora Lind", email="c@x.org")
        for name in ("Bea Ortiz", "Zoë Ångström"):
            person = session.scalars(select(StaffMember).where(StaffMember.name == name)).one()
            trail.record(
                session, "signed in", actor_id=person.id, now=NOW, about=("account", person.id)
            )
        as_before(session, StaffMember.name, "Zoë Ångström")

        def by(text: str) -> list[str | None]:
            days = NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=1)
            asked = events.Asked(*days, zone=ZoneInfo("UTC"), staff=text)
            return [each.staff for each in events.find(session, boss, asked).events]

        assert by("ångström") == ["Zoë Ångström"]
        assert by("bea@example.org") == ["Bea Ortiz"]
        assert by("bea@") == []
        assert by("Key") == []


@sealed_or_before
def test_a_clinic_is_found_by_its_numbers(
    clinic: Clinic, sessions: Sessions, *, is_before: bool
) -> None:
    with sessions.begin() as session:
        if is_before:
            as_before(session, Clinic.phone_number, NUMBER)
            as_before(session, Clinic.sms_sender, SENDER)
        house = make_clinic(session, phone_number="+15125550188")
        assert _having(session, NUMBER, SENDER, is_number=True) == [clinic.id]
        assert _having(session, NUMBER, "House") == []
        assert _having(session, SENDER, None) == [clinic.id]
        assert _having(session, "House", "House") == [house.id]
        assert [each.id for each in returning._clinics(session, NUMBER)] == [clinic.id]
        person_id = session.scalar(select(func.min(StaffMember.id))) or 0
        with pytest.raises(ClinicsOwnNumber):
            work_phone.keep(session, person_id, NUMBER)


@pytest.mark.parametrize("pace_is_before", [True, False])
@pytest.mark.parametrize("clinic_is_before", [True, False])
def test_a_pace_holds_for_its_sender_whichever_of_the_two_is_sealed(
    clinic: Clinic, sessions: Sessions, *, clinic_is_before: bool, pace_is_before: bool
) -> None:
    with sessions.begin() as session:
        here = session.get_one(Clinic, clinic.id)
        by = session.scalar(select(func.min(StaffMember.id))) or 0
        pacing.choose(session, here, SENDER, 3, by_staff_id=by, now=NOW)
        pacing.choose(session, make_clinic(session), None, 7, by_staff_id=by, now=NOW)
        session.flush()
        if pace_is_before:
            as_before(session, SenderPace.sender, SENDER)
            as_before(session, SenderPace.sender, "")
        if clinic_is_before:
            as_before(session, Clinic.sms_sender, SENDER)
    with sessions.begin() as session:
        here = session.get_one(Clinic, clinic.id)
        assert len(pacing.clinics_in_line(session)) == 2
        assert pacing.has_pace(session, here.id)
        assert pacing.clinics_of(session, SENDER) == [here.id]
        assert pacing.per_second_of(session, None) == 7
        pacing.choose(session, here, SENDER, 5, by_staff_id=by, now=NOW)
        assert pacing.per_second_of(session, SENDER) == 5
        assert session.scalar(select(func.count(SenderPace.id))) == 2
        pacing.choose(session, here, SENDER, None, by_staff_id=by, now=NOW)
        assert pacing.per_second_of(session, SENDER) is None
        assert not pacing.has_pace(session, here.id)


def test_what_cant_be_read_is_told_and_stands_as_a_question_mark(
    clinic: Clinic, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    with sessions.begin() as session:
        session.execute(text("UPDATE staff_member SET name = 's1.gone.AAAA'"))
        session.execute(text("UPDATE clinic SET phone_number = 's1.gone.AAAA', sms_sender = NULL"))
    with caplog.at_level(logging.ERROR), sessions() as session:
        assert set(session.scalars(select(StaffMember.name))) == {"?"}
        row = session.execute(select(Clinic.phone_number, Clinic.sms_sender)).one()
    assert tuple(row) == ("?", None)
    assert "a staff name can't be decrypted" in caplog.text
    assert "a clinic number can't be decrypted" in caplog.text


@pytest.mark.parametrize("function", [as_json, all_as_json])
def test_nothing_encrypted_goes_into_json_unsaid(function: Any) -> None:
    with pytest.raises(TypeError, match="staff name is encrypted"):
        str(select(function(StaffMember.id, StaffMember.name)))
    assert str(select(function(StaffMember.id, type_coerce(StaffMember.name, Text()))))
