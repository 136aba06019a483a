"""What one person sends twice is one; what they say later, or after other words, is said anew."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from outreach import orm
from outreach.concerns import flags, raising
from outreach.concerns.flags import NewFlag
from outreach.concerns.models import ConcernStep
from outreach.concerns.rules import RiskKind
from outreach.inbox import permission
from outreach.inbox.models import ReadingPermission
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.sent_again import WITHIN
from tests.builders import make_clinic, make_patient, make_staff
from tests.fakes import MONDAY_10_CHICAGO
from tests.meeting import at_once

WORDS = "Her sister is there."


@pytest.mark.parametrize(
    ("said", "added"),
    [
        ([(WORDS, timedelta(0)), (WORDS, timedelta(minutes=1))], 1),
        ([(WORDS, timedelta(0)), (WORDS, WITHIN)], 2),
        ([(WORDS, timedelta(0)), ("She left.", timedelta(0)), (WORDS, timedelta(minutes=1))], 3),
    ],
)
def test_words_on_a_concern(
    session: Session, said: list[tuple[str, timedelta]], added: int
) -> None:
    clinic = make_clinic(session)
    patient, caller = make_patient(session, clinic), make_staff(session, clinic)
    concern = raising.raise_concern(
        session, patient, raising.safety("worrying"), by_staff_id=None, now=MONDAY_10_CHICAGO
    )
    for words, later in said:
        now = MONDAY_10_CHICAGO + later
        raising.add_words(session, concern, words, by_staff_id=caller.id, now=now)

    steps = select(func.count()).where(ConcernStep.concern_id == concern.id)
    assert session.scalar(steps) == 1 + added


def test_words_said_twice_at_the_same_moment_are_one(engine: Engine, sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient, caller = make_patient(session, clinic), make_staff(session, clinic)

    def note() -> None:
        with sessions.begin() as own:
            permission.note(
                own,
                own.get_one(Patient, patient.id),
                is_given=True,
                by_staff_id=caller.id,
                now=MONDAY_10_CHICAGO,
            )

    at_once(engine, note, note)

    with orm.reading(), sessions() as session:
        assert session.scalar(select(func.count()).select_from(ReadingPermission)) == 1


def test_two_texts_of_a_patient_are_two(session: Session) -> None:
    clinic = make_clinic(session)
    concern = raising.raise_concern(
        session,
        make_patient(session, clinic),
        raising.safety("worrying"),
        by_staff_id=None,
        now=MONDAY_10_CHICAGO,
    )
    for _text in range(2):
        raising.add_words(session, concern, "Help me", by_staff_id=None, now=MONDAY_10_CHICAGO)

    steps = select(func.count()).where(ConcernStep.concern_id == concern.id)
    assert session.scalar(steps) == 3


def test_the_same_after_somebody_else_said_something_is_said_anew(session: Session) -> None:
    clinic = make_clinic(session)
    patient = make_patient(session, clinic)
    one, other = make_staff(session, clinic), make_staff(session, clinic)
    for person, is_given in ((one, True), (other, False), (one, True)):
        permission.note(
            session, patient, is_given=is_given, by_staff_id=person.id, now=MONDAY_10_CHICAGO
        )

    assert permission.is_given(session, patient.id)


def test_a_flag_that_was_ended_can_be_set_again_at_once(session: Session) -> None:
    clinic = make_clinic(session)
    patient, nurse = make_patient(session, clinic), make_staff(session, clinic)
    now, today = MONDAY_10_CHICAGO, MONDAY_10_CHICAGO.date()
    new = NewFlag(RiskKind.OTHER, "Lives alone", today)
    for _time in range(2):
        flag = flags.add(session, patient, new, by_staff_id=nurse.id, today=today, now=now)
        flags.review(session, flag, "", None, by_staff_id=nurse.id, today=today, now=now)
    flags.add(session, patient, new, by_staff_id=nurse.id, today=today, now=now)

    assert len(flags.of_patient(session, patient.id)) == 1
