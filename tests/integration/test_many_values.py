"""Many values as one parameter: the words of a list stay what they are on either database."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.among import among, among_words, array_text
from outreach.orm import Sessions
from outreach.sql import is_one_of
from tests.builders import make_clinic

ODD = ['a "name"', "back\\slash", "{a,b}", "NULL", "", " space ", "ñ, ç", "two\nlines", '\\"', "'"]


def test_every_word_is_found_as_it_is_written_and_no_other(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for name in (*ODD, "another"):
            make_clinic(session, name=name)

    with sessions() as session:
        found = session.scalars(select(Clinic.name).where(among_words(Clinic.name, ODD))).all()
        none = session.scalars(select(Clinic.id).where(among_words(Clinic.name, []))).all()

    assert sorted(found) == sorted(ODD)
    assert none == []


def test_a_list_that_never_changes_is_part_of_the_statement(sessions: Sessions) -> None:
    with sessions.begin() as session:
        for name in ("North", "South", "West"):
            make_clinic(session, name=name)

    listed = is_one_of(Clinic.name, ("South", "West"))
    with sessions() as session:
        assert set(session.scalars(select(Clinic.name).where(listed))) == {"South", "West"}
        assert set(session.scalars(select(Clinic.name).where(~listed))) == {"North"}


@pytest.mark.parametrize("how_many", [0, 1, 3])
def test_ids_are_found(sessions: Sessions, how_many: int) -> None:
    with sessions.begin() as session:
        ids = [make_clinic(session).id for _each in range(3)][:how_many]

    with sessions() as session:
        assert sorted(session.scalars(select(Clinic.id).where(among(Clinic.id, ids)))) == ids


@given(st.lists(st.integers(-(2**62), 2**62)))
def test_numbers_are_written_plainly(numbers: list[int]) -> None:
    assert array_text(numbers) == "{" + ",".join(str(each) for each in numbers) + "}"


@settings(max_examples=200)
@given(st.text())
def test_a_word_ends_where_it_ends(word: str) -> None:
    inner = array_text([word])[2:-2]
    left = inner.replace("\\\\", "").replace('\\"', "")
    assert '"' not in left
    assert "\\" not in left
