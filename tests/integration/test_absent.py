"""What is known not to be there is not read, until it is written or the transaction ends."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, inspect
from sqlalchemy.orm import Session

from outreach import absent, orm
from outreach.accounts.models import Clinic
from outreach.calls import seldom_there
from outreach.calls.models import Promise
from outreach.goals import setting
from outreach.goals.models import Goal
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from tests.builders import (
    goal_row,
    make_clinic,
    make_enrolment,
    make_goal,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.counting import statements


def rosa(sessions: Sessions) -> Patient:
    with sessions.begin() as session:
        return make_patient(session, make_clinic(session))


def add_goal(session: Session, patient: Patient) -> None:
    make_goal(session, patient, make_staff(session, session.get_one(Clinic, patient.clinic_id)))


def look(session: Session, *patients: Patient) -> None:
    absent.look_ahead(session, [(Goal.patient_id, each.id) for each in patients])


def test_what_is_not_there_is_not_read(sessions: Sessions, engine: Engine) -> None:
    without, having, unasked = rosa(sessions), rosa(sessions), rosa(sessions)
    with sessions.begin() as session:
        add_goal(session, having)

    with orm.reading(), sessions() as session:
        look(session, without, having)
        with statements(engine) as seen:
            found = [len(setting.open_of(session, each.id)) for each in (without, having, unasked)]

    assert found == [0, 1, 0]
    assert len(seen) == 2  # of whoever has one, and of whom nobody looked for


def test_absence_is_of_one_column_and_one_value(sessions: Sessions) -> None:
    patient = rosa(sessions)

    with orm.reading(), sessions() as session:
        look(session, patient)

        assert absent.is_known(session, Goal.patient_id, patient.id)
        assert not absent.is_known(session, Goal.patient_id, patient.id + 1)
        assert not absent.is_known(session, Goal.id, patient.id)
        assert not absent.is_known(session, Promise.patient_id, patient.id)


def add_goals_at_once(session: Session, patient: Patient) -> None:
    by = make_staff(session, session.get_one(Clinic, patient.clinic_id))
    orm.insert_new(session, Goal, [goal_row(patient, by)])


def add_goal_later(session: Session, patient: Patient) -> None:
    by = make_staff(session, session.get_one(Clinic, patient.clinic_id))
    session.add(Goal(**goal_row(patient, by)))


def test_a_writer_looks_ahead_too(sessions: Sessions, engine: Engine) -> None:
    patient = rosa(sessions)

    with sessions.begin() as session:
        look(session, patient)
        with statements(engine) as seen:
            assert not setting.open_of(session, patient.id)

    assert not seen


@pytest.mark.parametrize("add", [add_goal, add_goals_at_once, add_goal_later])
def test_what_a_writer_adds_is_not_absent(
    sessions: Sessions, add: Callable[[Session, Patient], None]
) -> None:
    patient = rosa(sessions)

    with sessions.begin() as session:
        look(session, patient)
        add(session, patient)

        assert not absent.is_known(session, Goal.patient_id, patient.id)
        assert len(setting.open_of(session, patient.id)) == 1


def test_what_was_rolled_back_to_is_looked_for_anew(sessions: Sessions) -> None:
    patient = rosa(sessions)

    with sessions.begin() as session:
        look(session, patient)
        with session.begin_nested() as added:
            add_goal(session, patient)
            added.rollback()

        assert not absent.is_known(session, Goal.patient_id, patient.id)


def test_a_later_transaction_looks_anew(sessions: Sessions) -> None:
    patient = rosa(sessions)

    with orm.reading(), sessions() as session:
        look(session, patient)
        session.commit()
        with orm.writing(), sessions.begin() as own:
            add_goal(own, patient)

        assert len(setting.open_of(session, patient.id)) == 1


def columns_of(session: Session, call: PlannedCall) -> set[absent.Column]:
    """Return the columns that a call screen finds out about, where nothing is there."""
    every = [
        getattr(mapper.class_, each.key)
        for mapper in orm.Model.registry.mappers
        for each in mapper.column_attrs
    ]
    values = (call.id, call.patient_id, call.enrolment_id)
    return {
        column
        for column in every
        if any(absent.is_known(session, column, value) for value in values)
    }


@pytest.fixture
def seldom(sessions: Sessions) -> set[absent.Column]:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        call = make_planned_call(session, make_enrolment(session, patient))
    with orm.reading(), sessions() as session:
        seldom_there.look_ahead(session, session.get_one(PlannedCall, call.id))
        return columns_of(session, call)


def test_what_is_looked_for_on_every_screen_is_found_by_an_index(
    seldom: set[absent.Column], engine: Engine
) -> None:
    assert len(seldom) > 10
    for column in seldom:
        table = column.parent.class_.__tablename__
        indexes = inspect(engine).get_indexes(table)
        leading = {each["column_names"][0] for each in indexes}
        leading |= {
            each["column_names"][0] for each in inspect(engine).get_unique_constraints(table)
        }
        leading |= set(inspect(engine).get_pk_constraint(table)["constrained_columns"][:1])
        assert column.key in leading, f"{table}.{column.key}"
