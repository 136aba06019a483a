"""A page that only reads asks once; whoever may write asks each time."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from outreach import asked_once, orm
from outreach.orm import Sessions
from outreach.patients import registry
from outreach.patients.models import Patient
from tests.builders import make_clinic, make_patient
from tests.counting import statements


def rosa(sessions: Sessions) -> Patient:
    with sessions.begin() as session:
        return make_patient(session, make_clinic(session))


def number(session: Session, patient: Patient) -> str | None:
    found = registry.working_number(session, patient.id)
    return found.e164 if found else None


def test_a_reader_asks_once_of_each_patient(sessions: Sessions, engine: Engine) -> None:
    patient, other = rosa(sessions), rosa(sessions)

    with orm.reading(), sessions() as session, statements(engine) as seen:
        found = [number(session, each) for each in (patient, other, patient, other, patient)]

    assert found[0] == found[2] == found[4] is not None
    assert len([each for each in seen if "phone_number" in each]) == 2


def test_a_writer_sees_what_it_has_changed(sessions: Sessions) -> None:
    patient = rosa(sessions)

    with sessions.begin() as session:
        before = number(session, patient)
        for each in registry.numbers_of(session, patient.id):
            session.delete(each)
        session.flush()
        after = number(session, patient)

    assert before is not None
    assert after is None


def test_a_later_transaction_of_the_same_session_asks_again(sessions: Sessions) -> None:
    patient = rosa(sessions)

    with orm.reading(), sessions() as session:
        before = number(session, patient)
        session.commit()
        with orm.writing(), sessions.begin() as own:
            for each in registry.numbers_of(own, patient.id):
                own.delete(each)
        after = number(session, patient)

    assert before is not None
    assert after is None


def test_what_was_answered_by_nothing_is_known_too(sessions: Sessions) -> None:
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)

    with orm.reading(), sessions() as session:
        session.connection()
        for _each in range(3):
            assert asked_once.answer(session, "anything", ask) is None

    assert asked == [1]
