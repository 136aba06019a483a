"""What is tried before a welfare check may end without news."""

from hypothesis import given
from hypothesis import strategies as st

from outreach.welfare.rules import StepKind, untried

STEPS = st.sets(st.sampled_from(StepKind))


@given(tried=STEPS, may_ring_contact=st.booleans())
def test_nothing_that_was_tried_is_asked_for_again(
    tried: set[StepKind], *, may_ring_contact: bool
) -> None:
    left = untried(tried, may_ring_contact=may_ring_contact)

    assert not tried & set(left)
    assert untried(tried | set(left), may_ring_contact=may_ring_contact) == ()


@given(STEPS)
def test_nobody_is_rung_about_a_patient_who_did_not_agree(tried: set[StepKind]) -> None:
    assert StepKind.EMERGENCY_CONTACT not in untried(tried, may_ring_contact=False)


def test_an_agreed_contact_comes_right_after_the_patients_own_numbers() -> None:
    assert untried(set(), may_ring_contact=True)[:2] == (
        StepKind.OTHER_NUMBER,
        StepKind.EMERGENCY_CONTACT,
    )
