"""A reading's name outside leads back to it, and to nobody else's."""

from string import hexdigits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.measures.rules.outside import name_outside, reading_named

REFS = st.text(hexdigits[:16], min_size=16, max_size=16)


@given(ref=REFS, other=REFS, reading_id=st.integers(1, 2**63 - 1))
def test_a_name_is_of_one_reading_of_one_patient(ref: str, other: str, reading_id: int) -> None:
    name = name_outside(ref, reading_id)

    assert len(name) <= 64  # the longest id that FHIR allows
    assert reading_named(ref, name) == reading_id
    assert reading_named(other, name) == (reading_id if other == ref else None)


@pytest.mark.parametrize("name", ["", "reading-ab12-", "reading-ab12-x", "reading-ab12-٣", "7"])
def test_what_others_call_something_is_no_name_of_ours(name: str) -> None:
    assert reading_named("ab12", name) is None
