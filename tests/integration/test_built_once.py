"""A statement that is built once finds for each who asks what they asked for."""

from contextlib import nullcontext, suppress
from typing import Any

import pytest
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from outreach.accounts.models import Clinic
from outreach.among import among
from outreach.built_once import built_once
from outreach.orm import Sessions, rows_of
from outreach.patients.models import Patient
from tests.builders import make_clinic, make_patient


def test_each_has_their_own_values_and_the_statement_is_built_once(sessions: Sessions) -> None:
    built = []

    @built_once
    def of_names(names: Any, most_id: Any) -> Select[str]:
        built.append(1)
        return select(Clinic.name).where(Clinic.name.in_(names), Clinic.id <= most_id)

    with sessions.begin() as session:
        for name in ("North", "South", "West"):
            make_clinic(session, name=name)

    with sessions() as session:
        found = [
            sorted(session.scalars(*of_names(names, most_id)))
            for names, most_id in (
                (["North", "South"], 999_999),
                (["West"], 999_999),
                ([], 999_999),
                (["West"], 0),
            )
        ]

    assert found == [["North", "South"], ["West"], [], []]
    assert built == [1]


def test_what_is_known_of_one_statement_is_never_taken_for_another(sessions: Sessions) -> None:
    @built_once
    def by_names(names: Any) -> Select[str]:
        return select(Clinic.name).where(Clinic.name.in_(names)).order_by(Clinic.name)

    with sessions.begin() as session:
        ids = {name: make_clinic(session, name=name).id for name in ("North", "South")}

    for _again in range(2):
        with sessions() as session:
            assert rows_of(session, *_named("South")) == [(ids["South"], "South")]
            assert rows_of(session, *by_names(["South", "North"])) == [("North",), ("South",)]
            assert rows_of(session, *by_names(["North"])) == [("North",)]


@built_once
def _named(name: Any) -> Select[int, str]:
    return select(Clinic.id, Clinic.name).where(Clinic.name == name)


def test_what_a_transaction_wrote_is_read_in_it_and_gone_with_it(sessions: Sessions) -> None:
    with sessions() as session:
        assert rows_of(session, *_named("North")) == []
        clinic_id = make_clinic(session, name="North").id
        assert rows_of(session, *_named("North")) == [(clinic_id, "North")]

        session.rollback()

        assert rows_of(session, *_named("North")) == []


@pytest.mark.parametrize("is_nested", [False, True])
def test_nothing_is_read_in_a_transaction_that_failed(
    sessions: Sessions, *, is_nested: bool
) -> None:
    with sessions() as session:
        assert rows_of(session, *_named("North")) == []
        within = session.begin_nested() if is_nested else nullcontext()
        with suppress(IntegrityError), within:
            session.add(Clinic(code="C"))
            with suppress(IntegrityError):
                session.flush()

            with pytest.raises(InvalidRequestError):
                rows_of(session, *_named("North"))


def test_what_is_sealed_is_found_by_what_it_says(sessions: Sessions) -> None:
    """A parameter is stored as the column beside it stores its values."""

    @built_once
    def by_record(number: Any) -> Select[int]:
        return select(Patient.id).where(Patient.record_number == number)

    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient_id = make_patient(session, clinic, record_number="MRN-7").id
        make_patient(session, clinic, phone="+15125550148", record_number="MRN-8")

    with sessions() as session:
        assert [row.id for row in rows_of(session, *by_record("MRN-7"))] == [patient_id]


def test_many_ids_may_be_told_later(sessions: Sessions) -> None:
    @built_once
    def of_ids(ids: Any) -> Select[str]:
        return select(Clinic.name).where(among(Clinic.id, ids)).order_by(Clinic.name)

    with sessions.begin() as session:
        ids = [make_clinic(session, name=name).id for name in ("North", "South", "West")]

    with sessions() as session:
        assert session.scalars(*of_ids(ids[:2])).all() == ["North", "South"]
        assert session.scalars(*of_ids([])).all() == []


def test_a_value_too_few_is_refused() -> None:
    @built_once
    def of(one: Any, other: Any) -> Select[int]:
        return select(Clinic.id).where(Clinic.id.in_([one, other]))

    with pytest.raises(ValueError, match="shorter"):
        of(1)
