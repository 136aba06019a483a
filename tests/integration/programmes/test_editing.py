"""Publishing a version: for whom it holds, and who is told when two do it at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Role, Scope
from outreach.orm import Sessions
from outreach.programmes import editing, protocol
from outreach.programmes.editing import (
    ChangedMeanwhile,
    Listed,
    NothingChanged,
    NotSane,
    Publication,
)
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import PUBLISHED_PROTOCOL, EnrolmentStatus
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.fakes import FakeClock

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
SHORTER = replace(PUBLISHED_PROTOCOL, minutes_per_call=15)
BROKEN = replace(PUBLISHED_PROTOCOL, phases=PUBLISHED_PROTOCOL.phases[1:])


def _listed(session: Session) -> Listed:
    return editing.one_programme(session, EVERYTHING, protocol.PUBLISHED)


def _publication(moves_enrolled: bool = True, seen: int = 1) -> Publication:  # noqa: FBT001, FBT002
    return Publication(SHORTER, seen, "calls are shorter", moves_enrolled)


def test_a_new_version_moves_who_is_enrolled_and_notes_it(
    session: Session, clock: FakeClock
) -> None:
    clinic = make_clinic(session)
    admin = make_staff(session, None, Role.ADMINISTRATOR)
    by = {
        status: make_enrolment(session, make_patient(session, clinic), status=status)
        for status in EnrolmentStatus
    }

    version = editing.publish(
        session, _listed(session), _publication(), by_staff_id=admin.id, now=clock()
    )
    session.expire_all()

    moved = {status for status, each in by.items() if each.version_id == version.id}
    assert moved == {EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED, EnrolmentStatus.UNREACHABLE}
    events = session.scalars(select(EnrolmentEvent).order_by(EnrolmentEvent.id)).all()
    assert {event.status for event in events} == moved
    assert {(event.version_id, event.by_staff_id, event.at) for event in events} == {
        (version.id, admin.id, clock())
    }
    assert events[0].reason == "version 2: calls are shorter"
    assert [(line.version.number, line.enrolled) for line in _listed(session).versions] == [
        (2, 3),
        (1, 0),
    ]


def test_a_new_version_for_new_patients_leaves_the_others_where_they_are(
    session: Session, clock: FakeClock
) -> None:
    enrolment = make_enrolment(session, make_patient(session, make_clinic(session)))
    before = enrolment.version_id
    admin = make_staff(session, None, Role.ADMINISTRATOR)

    version = editing.publish(
        session,
        _listed(session),
        _publication(moves_enrolled=False),
        by_staff_id=admin.id,
        now=clock(),
    )
    session.expire_all()

    assert session.get_one(Enrolment, enrolment.id).version_id == before
    assert session.scalars(select(EnrolmentEvent)).all() == []
    assert protocol.newest_version(session, now=clock()).id == version.id


def test_of_two_who_publish_at_once_the_second_is_told(
    sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        protocol.newest_version(session, now=clock())
        admin = make_staff(session, None, Role.ADMINISTRATOR)
    with sessions() as session:
        seen_by_both = _listed(session)
        session.expunge_all()

    by: dict[str, Any] = {"by_staff_id": admin.id, "now": clock()}
    with sessions.begin() as session:
        editing.publish(session, seen_by_both, _publication(), **by)
    with sessions() as session, pytest.raises(ChangedMeanwhile):
        editing.publish(session, seen_by_both, _publication(), **by)
    with sessions() as session, pytest.raises(ChangedMeanwhile):
        editing.publish(session, _listed(session), _publication(seen=1), **by)

    with sessions() as session:
        assert len(_listed(session).versions) == 2


def test_what_makes_no_sense_or_changes_nothing_is_not_published(
    session: Session, clock: FakeClock
) -> None:
    protocol.newest_version(session, now=clock())
    listed = _listed(session)
    by: dict[str, Any] = {
        "by_staff_id": make_staff(session, None, Role.ADMINISTRATOR).id,
        "now": clock(),
    }

    with pytest.raises(NotSane):
        editing.publish(session, listed, replace(_publication(), protocol=BROKEN), **by)
    same = replace(_publication(), protocol=PUBLISHED_PROTOCOL)
    with pytest.raises(NothingChanged):
        editing.publish(session, listed, same, **by)


def test_a_manager_counts_their_own_clinics_only(session: Session) -> None:
    here, there = make_clinic(session), make_clinic(session)
    for clinic in (here, here, there):
        make_enrolment(session, make_patient(session, clinic))

    listed = editing.all_programmes(session, Scope(0, False, frozenset({here.id})))

    assert [each.enrolled for each in listed] == [2]


def test_another_programme_begins_as_a_copy(session: Session, clock: FakeClock) -> None:
    protocol.newest_version(session, now=clock())
    admin = make_staff(session, None, Role.ADMINISTRATOR)

    codes = [
        editing.start(
            session, _listed(session), "Diabète: 12", by_staff_id=admin.id, now=clock() + later
        ).code
        for later in (timedelta(0), timedelta(0), timedelta(hours=1))  # the second: sent again
    ]

    assert codes == ["diabete-12", "diabete-12", "diabete-12-2"]
    copy = editing.one_programme(session, EVERYTHING, "diabete-12")
    assert copy.newest.protocol == PUBLISHED_PROTOCOL
