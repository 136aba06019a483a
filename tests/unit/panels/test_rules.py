"""Who is suggested as whose caller."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from outreach.panels.rules import CallerFacts, LeftOut, Waiting, suggest

LANGUAGES = st.sampled_from(["en", "es", "vi"])
CALLERS = st.lists(
    st.builds(
        CallerFacts,
        caller_id=st.integers(1, 30),
        languages=st.frozensets(LANGUAGES, min_size=1),
        cap=st.integers(1, 20),
        panel_size=st.integers(0, 22),
    ),
    max_size=6,
    unique_by=lambda caller: caller.caller_id,
)
WAITING = st.lists(
    st.builds(Waiting, st.integers(1, 500), LANGUAGES),
    max_size=40,
    unique_by=lambda patient: patient.enrolment_id,
)


@given(WAITING, CALLERS)
def test_everybody_gets_a_caller_or_a_reason(
    waiting: list[Waiting], callers: list[CallerFacts]
) -> None:
    suggestion = suggest(waiting, callers)

    answered = {*suggestion.caller_of, *suggestion.left_out}
    assert answered == {patient.enrolment_id for patient in waiting}
    assert not suggestion.caller_of.keys() & suggestion.left_out.keys()


@given(WAITING, CALLERS)
def test_nobody_is_suggested_without_the_language_or_beyond_the_cap(
    waiting: list[Waiting], callers: list[CallerFacts]
) -> None:
    suggestion = suggest(waiting, callers)

    by_id = {caller.caller_id: caller for caller in callers}
    language = {patient.enrolment_id: patient.language for patient in waiting}
    for enrolment_id, caller_id in suggestion.caller_of.items():
        assert language[enrolment_id] in by_id[caller_id].languages
    for caller_id, more in Counter(suggestion.caller_of.values()).items():
        assert by_id[caller_id].panel_size + more <= by_id[caller_id].cap


def test_the_only_speaker_of_a_language_is_kept_for_those_who_need_them() -> None:
    both = CallerFacts(1, frozenset({"en", "es"}), cap=1, panel_size=0)
    english = CallerFacts(2, frozenset({"en"}), cap=1, panel_size=0)

    suggestion = suggest([Waiting(10, "en"), Waiting(11, "es")], [both, english])

    assert suggestion.caller_of == {10: 2, 11: 1}


def test_says_why_somebody_is_left_out() -> None:
    full = CallerFacts(1, frozenset({"en"}), cap=20, panel_size=20)

    suggestion = suggest([Waiting(10, "en"), Waiting(11, "vi")], [full])

    assert suggestion.left_out == {
        10: LeftOut.PANELS_FULL,
        11: LeftOut.NO_SHARED_LANGUAGE,
    }
