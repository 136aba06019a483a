"""Every change of an enrolment is kept as history; milestones are seen to once."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.programmes import enrolment as enrolments
from outreach.programmes import milestones, protocol
from outreach.programmes.enrolment import AlreadyEnrolled, NotPausable
from outreach.programmes.milestones import NoSuchMilestone
from outreach.programmes.models import Enrolment, EnrolmentEvent, Programme, ProgrammeVersion
from outreach.programmes.protocol import NoSuchProgramme
from outreach.programmes.rules import PUBLISHED_PROTOCOL, EnrolmentStatus, PauseReason, pause_words
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.fakes import FakeClock

TODAY = date(2026, 11, 23)


@pytest.fixture
def rosa(session: Session) -> tuple[Patient, StaffMember]:
    clinic = make_clinic(session)
    return make_patient(session, clinic), make_staff(session, clinic)


def _history(session: Session, enrolment: Enrolment) -> list[tuple[object, ...]]:
    session.flush()
    rows = session.scalars(
        select(EnrolmentEvent)
        .where(EnrolmentEvent.enrolment_id == enrolment.id)
        .order_by(EnrolmentEvent.id)
    )
    return [(each.status, each.reason, each.resume_on, each.by_staff_id) for each in rows]


def test_a_history_begins_with_the_enrolment_and_keeps_each_step(
    session: Session, rosa: tuple[Patient, StaffMember], clock: FakeClock
) -> None:
    patient, staff = rosa
    by: dict[str, Any] = {"by_staff_id": staff.id, "now": clock()}
    words = pause_words(PauseReason.TRAVEL, "to her sister")

    enrolment = enrolments.enrol(session, patient, starts_on=TODAY, **by)
    enrolments.pause(session, enrolment, until=TODAY + timedelta(days=9), reason=words, **by)
    enrolments.change_status(enrolment, EnrolmentStatus.ACTIVE, reason="", now=clock())

    assert _history(session, enrolment) == [
        (EnrolmentStatus.ACTIVE, "", None, staff.id),
        (EnrolmentStatus.PAUSED, "travel: to her sister", TODAY + timedelta(days=9), staff.id),
        (EnrolmentStatus.ACTIVE, "", None, None),
    ]
    assert enrolment.resume_on is None


def test_a_pause_may_get_another_end_but_who_left_is_not_paused(
    session: Session, rosa: tuple[Patient, StaffMember], clock: FakeClock
) -> None:
    enrolment = make_enrolment(session, rosa[0])
    by: dict[str, Any] = {"by_staff_id": rosa[1].id, "now": clock()}

    for until in (TODAY + timedelta(days=9), None):
        enrolments.pause(session, enrolment, until=until, reason="hospital", **by)
        session.flush()
    resume_on = enrolment.resume_on
    enrolments.change_status(enrolment, EnrolmentStatus.WITHDRAWN, reason="moved", now=clock())
    session.flush()

    assert resume_on is None
    with pytest.raises(NotPausable):
        enrolments.pause(session, enrolment, until=None, reason="travel", **by)


def test_one_enrols_in_the_newest_version_of_the_chosen_programme(
    session: Session, rosa: tuple[Patient, StaffMember], clock: FakeClock
) -> None:
    default = protocol.newest_version(session, now=clock())
    other = Programme(code="short", name="Short")
    session.add(other)
    session.flush()
    for number in (1, 2):
        data = PUBLISHED_PROTOCOL.as_data()
        session.add(
            ProgrammeVersion(programme_id=other.id, number=number, data=data, created_at=clock())
        )
    session.flush()

    enrolment = enrolments.enrol(session, rosa[0], starts_on=TODAY, programme="short", now=clock())

    version = session.get_one(ProgrammeVersion, enrolment.version_id)
    assert (version.programme_id, version.number) == (other.id, 2)
    assert protocol.newest_version(session, now=clock()).id == default.id
    assert [code for code, _name in protocol.names(session)] == [protocol.PUBLISHED, "short"]
    with pytest.raises(AlreadyEnrolled):
        enrolments.enrol(session, rosa[0], starts_on=TODAY, now=clock())
    with pytest.raises(NoSuchProgramme):
        protocol.newest_version(session, now=clock(), code="nothing")


def test_milestones_are_due_from_their_first_day_until_somebody_saw_to_them(
    session: Session, rosa: tuple[Patient, StaffMember], clock: FakeClock
) -> None:
    enrolment = make_enrolment(session, rosa[0], starts_on=TODAY)
    by: dict[str, Any] = {"by_staff_id": rosa[1].id, "now": clock()}

    def due_on(day: int) -> list[tuple[str, bool]]:
        on = TODAY + timedelta(days=day)
        due = milestones.due_of(session, enrolment, PUBLISHED_PROTOCOL, today=on)
        return [(each.milestone.code, each.is_late) for each in due]

    before, first, later = due_on(-1), due_on(0), due_on(7)
    done = milestones.mark_done(session, enrolment, PUBLISHED_PROTOCOL, "health_tool", **by)
    again = milestones.mark_done(session, enrolment, PUBLISHED_PROTOCOL, "health_tool", **by)

    assert before == []
    assert first == [("health_tool", False), ("education_letter", False)]
    assert later == [("health_tool", True), ("education_letter", False)]
    assert (done, again) == (True, False)
    assert due_on(7) == [("education_letter", False)]
    with pytest.raises(NoSuchMilestone):
        milestones.mark_done(session, enrolment, PUBLISHED_PROTOCOL, "a car", **by)
    enrolment.status = EnrolmentStatus.WITHDRAWN
    assert due_on(7) == []


def test_newcomers_written_in_bulk_get_their_history_too(
    sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        enrolment = make_enrolment(session, patient)
        enrolments.begin_histories(session, [patient.id], by_staff_id=None)

        assert _history(session, enrolment) == [(EnrolmentStatus.ACTIVE, "", None, None)]
