"""Giving patients their caller: all or none, nobody overwritten, history kept."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from outreach.panels import assignment, roster
from outreach.panels.assignment import (
    AlreadyAssigned,
    Handover,
    NoSuchEnrolment,
    PanelFull,
    UnfitCaller,
)
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.panels.rules import ChangeReason
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_membership,
    make_patient,
    make_staff,
)
from tests.fakes import MONDAY_10_CHICAGO

NOW = MONDAY_10_CHICAGO
TODAY = date(2026, 11, 23)


def _waiting(session: Session, clinic: Clinic, language: str = "en") -> Enrolment:
    return make_enrolment(session, make_patient(session, clinic, language=language))


def _memberships(session: Session, enrolment_id: int) -> list[PanelMembership]:
    found = session.scalars(
        select(PanelMembership)
        .where(PanelMembership.enrolment_id == enrolment_id)
        .order_by(PanelMembership.id)
    )
    return list(found)


def _change(session: Session, enrolment: Enrolment, handover: Handover, by: StaffMember) -> None:
    assignment.change_caller(session, enrolment.id, handover, by_staff_id=by.id, now=NOW)


def test_lists_who_waits_longest_first_and_only_them(session: Session) -> None:
    clinic, elsewhere = make_clinic(session), make_clinic(session)
    caller = make_staff(session, clinic)
    late = _waiting(session, clinic)
    early = make_enrolment(
        session, make_patient(session, clinic), enrolled_at=late.enrolled_at - timedelta(days=3)
    )
    make_enrolment(session, make_patient(session, clinic), caller=caller)
    make_enrolment(session, make_patient(session, clinic), status=EnrolmentStatus.PAUSED)
    _waiting(session, elsewhere)

    found = roster.waiting(session, clinic.id)

    assert [each.enrolment_id for each in found] == [early.id, late.id]
    assert roster.count_waiting(session, clinic.id) == 2


def test_a_panel_counts_open_enrolments_only(session: Session) -> None:
    clinic = make_clinic(session)
    caller = make_staff(session, clinic, languages=("en", "es"))
    session.get_one(CallerProfile, caller.id).panel_cap = 15
    make_enrolment(session, make_patient(session, clinic), caller=caller)
    make_enrolment(
        session,
        make_patient(session, clinic),
        caller=caller,
        status=EnrolmentStatus.WITHDRAWN,
    )

    (facts,) = roster.callers(session, clinic.id, on=TODAY)

    assert (facts.panel_size, facts.cap) == (1, 15)
    assert facts.languages == {"en", "es"}


def test_assigns_all_with_an_audit_line_each(session: Session) -> None:
    clinic = make_clinic(session)
    manager, caller = make_staff(session, clinic, Role.MANAGER), make_staff(session, clinic)
    enrolments = [_waiting(session, clinic) for _each in range(3)]

    count = assignment.assign(
        session,
        {each.id: caller.id for each in enrolments},
        by_staff_id=manager.id,
        now=NOW,
        clinic_id=clinic.id,
    )

    assert count == 3
    assert roster.waiting(session, clinic.id) == []
    assert session.scalar(select(func.count(AuditEvent.id))) == 3


def test_week_1_begins_today_for_those_who_waited_past_their_start(session: Session) -> None:
    clinic = make_clinic(session)
    caller = make_staff(session, clinic)
    late = make_enrolment(session, make_patient(session, clinic), starts_on=date(2026, 11, 2))
    ahead = make_enrolment(session, make_patient(session, clinic), starts_on=date(2026, 12, 1))
    tokyo = make_enrolment(
        session, make_patient(session, clinic, zone="Asia/Tokyo"), starts_on=date(2026, 11, 2)
    )

    wanted = {late.id: caller.id, ahead.id: caller.id, tokyo.id: caller.id}
    assignment.assign(session, wanted, by_staff_id=caller.id, now=NOW)

    assert late.starts_on == TODAY
    assert ahead.starts_on == date(2026, 12, 1)
    assert tokyo.starts_on == TODAY + timedelta(days=1)


def test_who_had_a_caller_before_keeps_the_start(session: Session) -> None:
    clinic = make_clinic(session)
    caller = make_staff(session, clinic)
    enrolment = make_enrolment(session, make_patient(session, clinic), starts_on=date(2026, 11, 2))
    make_membership(session, enrolment, caller, until_at=NOW - timedelta(days=1))

    assignment.assign(session, {enrolment.id: caller.id}, by_staff_id=caller.id, now=NOW)

    assert enrolment.starts_on == date(2026, 11, 2)


def test_a_page_gone_stale_changes_nothing_at_all(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        first, second = make_staff(session, clinic), make_staff(session, clinic)
        taken, free = _waiting(session, clinic), _waiting(session, clinic)
    with sessions.begin() as session:
        assignment.assign(session, {taken.id: first.id}, by_staff_id=first.id, now=NOW)

    wanted = {taken.id: second.id, free.id: second.id}
    with pytest.raises(AlreadyAssigned) as refused, sessions.begin() as session:
        assignment.assign(session, wanted, by_staff_id=second.id, now=NOW)

    assert refused.value.enrolment_ids == {taken.id}
    with sessions() as session:
        assert [each.caller_id for each in _memberships(session, taken.id)] == [first.id]
        assert _memberships(session, free.id) == []


def test_refuses_a_caller_without_the_language_or_from_elsewhere(session: Session) -> None:
    clinic, elsewhere = make_clinic(session), make_clinic(session)
    english, stranger = make_staff(session, clinic), make_staff(session, elsewhere)
    nurse = make_staff(session, clinic, Role.NURSE)
    spanish_speaker = _waiting(session, clinic, language="es")
    english_speaker = _waiting(session, clinic)

    for enrolment, caller in (
        (spanish_speaker, english),
        (english_speaker, stranger),
        (english_speaker, nurse),
    ):
        with pytest.raises(UnfitCaller):
            assignment.assign(session, {enrolment.id: caller.id}, by_staff_id=None, now=NOW)


def test_an_enrolment_of_another_clinic_does_not_exist(session: Session) -> None:
    clinic, elsewhere = make_clinic(session), make_clinic(session)
    caller = make_staff(session, elsewhere)
    enrolment = _waiting(session, elsewhere)

    with pytest.raises(NoSuchEnrolment):
        assignment.assign(
            session,
            {enrolment.id: caller.id},
            by_staff_id=None,
            now=NOW,
            clinic_id=clinic.id,
        )


def test_going_above_the_cap_must_be_wanted(session: Session) -> None:
    clinic = make_clinic(session)
    caller = make_staff(session, clinic)
    session.get_one(CallerProfile, caller.id).panel_cap = 1
    wanted = {_waiting(session, clinic).id: caller.id, _waiting(session, clinic).id: caller.id}

    with pytest.raises(PanelFull):
        assignment.assign(session, wanted, by_staff_id=None, now=NOW)
    assignment.assign(session, wanted, by_staff_id=None, now=NOW, above_cap=True)

    assert roster.callers(session, clinic.id, on=TODAY)[0].panel_size == 2


def test_a_change_ends_one_membership_and_begins_another(session: Session) -> None:
    clinic = make_clinic(session)
    old, new = make_staff(session, clinic), make_staff(session, clinic)
    enrolment = make_enrolment(session, make_patient(session, clinic), caller=old)
    (before,) = _memberships(session, enrolment.id)

    handover = Handover(before.id, new.id, ChangeReason.CALLER_LEFT, "Likes to be asked about Mia.")
    _change(session, enrolment, handover, old)
    session.expire_all()

    ended, begun = _memberships(session, enrolment.id)
    assert (ended.caller_id, ended.until_at) == (old.id, NOW)
    assert (begun.caller_id, begun.from_at, begun.until_at) == (new.id, NOW, None)
    assert begun.note == "Likes to be asked about Mia."


def test_two_changes_at_once_leave_the_first_one(session: Session) -> None:
    clinic = make_clinic(session)
    old, new, other = (make_staff(session, clinic) for _each in range(3))
    enrolment = make_enrolment(session, make_patient(session, clinic), caller=old)
    seen = _memberships(session, enrolment.id)[0].id
    _change(session, enrolment, Handover(seen, new.id, ChangeReason.BALANCE, "-"), old)

    with pytest.raises(AlreadyAssigned):
        _change(session, enrolment, Handover(seen, other.id, ChangeReason.BALANCE, "-"), old)

    assert _memberships(session, enrolment.id)[-1].caller_id == new.id


def test_nobody_is_handed_over_to_themselves(session: Session) -> None:
    clinic = make_clinic(session)
    old = make_staff(session, clinic)
    enrolment = make_enrolment(session, make_patient(session, clinic), caller=old)
    seen = _memberships(session, enrolment.id)[0].id

    with pytest.raises(UnfitCaller):
        _change(session, enrolment, Handover(seen, old.id, ChangeReason.BALANCE, "-"), old)
