"""Who is proposed for whom: the hard rules always, the best of the wishes, proven."""

from collections import Counter
from datetime import date, time
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.panels import solving
from outreach.panels.rules import LeftOut
from outreach.panels.rules.matching import (
    Candidate,
    Unmet,
    Verdict,
    Waiting,
    is_allowed,
    left_out_by,
    place_costs,
    total_cost,
    unmet,
    worked_parts,
)
from outreach.patients.rules import Daypart, Sex, Wishes

ON = date(2026, 11, 23)
TYPICAL = 20.0

languages = st.sampled_from(("en", "es", "vi"))
genders = st.sampled_from((None, Sex.FEMALE, Sex.MALE))
wishes = st.builds(
    Wishes, st.frozensets(st.integers(0, 5), max_size=2), st.sampled_from(((), (Daypart.EVENING,)))
)
candidates = st.lists(
    st.builds(
        Candidate,
        st.integers(1, 9),
        st.frozensets(languages, min_size=1),
        st.integers(0, 3),
        st.integers(0, 1),
        st.sampled_from((60, 600)),
        st.tuples(st.floats(0, 50)),
        st.just("America/Chicago"),
        st.sampled_from(((), ((0, time(9), time(12)), (2, time(9), time(17))))),
        genders,
        st.booleans(),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda each: each.caller_id,
)
waiting_lists = st.lists(
    st.builds(
        Waiting,
        st.integers(1, 99),
        languages,
        st.just("America/Chicago"),
        wishes,
        genders,
        st.none() | st.integers(1, 9),
        parted=st.frozensets(st.integers(1, 9), max_size=2),
    ),
    max_size=4,
    unique_by=lambda each: each.enrolment_id,
)


def solve(waiting: list[Waiting], callers: list[Candidate]) -> Verdict:
    rooms = {each.caller_id: each.room for each in callers}
    return solving.solve(waiting, callers, rooms, TYPICAL, on=ON)


def best_by_trying_all(waiting: list[Waiting], callers: list[Candidate]) -> tuple[int, int]:
    """Return (people left out, cost) of the best assignment there is."""
    by_id = {each.caller_id: each for each in callers}
    found = []
    for choice in product([None, *by_id], repeat=len(waiting)):
        taken = Counter(each for each in choice if each is not None)
        pairs = [
            (patient, by_id[each])
            for patient, each in zip(waiting, choice, strict=True)
            if each is not None
        ]
        if any(count > by_id[each].room for each, count in taken.items()):
            continue
        if not all(is_allowed(patient, caller) for patient, caller in pairs):
            continue
        caller_of = {patient.enrolment_id: caller.caller_id for patient, caller in pairs}
        cost = total_cost(caller_of, waiting, callers, TYPICAL, on=ON)
        found.append((len(waiting) - len(pairs), cost))
    return min(found)


@settings(max_examples=150, deadline=None)
@given(waiting_lists, candidates)
def test_nothing_better_can_be_found_by_trying_everything(
    waiting: list[Waiting], callers: list[Candidate]
) -> None:
    verdict = solve(waiting, callers)

    cost = total_cost(verdict.caller_of, waiting, callers, TYPICAL, on=ON)
    assert verdict.is_proven
    assert (len(verdict.left_out), cost) == best_by_trying_all(waiting, callers)


@given(waiting_lists, candidates)
def test_language_training_and_room_always_hold_and_everybody_is_answered(
    waiting: list[Waiting], callers: list[Candidate]
) -> None:
    verdict = solve(waiting, callers)

    by_id = {each.caller_id: each for each in callers}
    for patient in waiting:
        is_placed = patient.enrolment_id in verdict.caller_of
        assert is_placed != (patient.enrolment_id in verdict.left_out)
        if is_placed:
            assert is_allowed(patient, by_id[verdict.caller_of[patient.enrolment_id]])
    for caller_id, count in Counter(verdict.caller_of.values()).items():
        assert count <= by_id[caller_id].room


@given(waiting_lists, candidates)
def test_the_same_question_has_the_same_answer(
    waiting: list[Waiting], callers: list[Candidate]
) -> None:
    assert solve(waiting, callers) == solve(waiting, callers)


@given(waiting_lists, candidates)
def test_without_the_exact_solver_the_hard_rules_hold_as_well(
    waiting: list[Waiting], callers: list[Candidate]
) -> None:
    rooms = {each.caller_id: each.room for each in callers}
    verdict = solving.solve(waiting, callers, rooms, TYPICAL, on=ON, exactly=False)

    by_id = {each.caller_id: each for each in callers}
    assert not verdict.is_proven
    assert verdict.caller_of.keys() | verdict.left_out.keys() == {
        patient.enrolment_id for patient in waiting
    }
    for patient in waiting:
        if patient.enrolment_id in verdict.caller_of:
            assert is_allowed(patient, by_id[verdict.caller_of[patient.enrolment_id]])


@given(candidates, st.integers(0, 5))
def test_each_further_place_costs_no_less_than_the_one_before(
    callers: list[Candidate], places: int
) -> None:
    for caller in callers:
        costs = place_costs(caller, TYPICAL, places)
        assert costs == sorted(costs)


def caller(number: int, **deviations: object) -> Candidate:
    facts: dict[str, object] = {
        "caller_id": number,
        "languages": frozenset({"en"}),
        "cap": 20,
        "panel_size": 0,
        "weekly_minutes": 600,
        "load": (0.0,),
    }
    return Candidate(**(facts | deviations))  # type: ignore[arg-type]


def test_a_returning_patient_gets_the_former_caller_back_even_when_busier() -> None:
    busy, free = caller(1, load=(500.0,)), caller(2)

    verdict = solve([Waiting(10, "en", former_id=1)], [busy, free])

    assert verdict.caller_of == {10: 1}


def test_nobody_goes_back_to_a_caller_after_whom_they_asked_for_somebody_else() -> None:
    free, busy, full = caller(1), caller(2, load=(590.0,)), caller(2, cap=0)
    parted = Waiting(10, "en", parted=frozenset({1}))

    assert solve([parted], [free, busy]).caller_of == {10: 2}
    assert solve([parted], [free, full]).caller_of == {10: 1}  # and the manager is told
    assert unmet(parted, free, on=ON) == (Unmet.SOMEBODY_ELSE,)


def test_a_wish_for_a_woman_is_met_where_it_can_be() -> None:
    woman, man = caller(1, gender=Sex.FEMALE, load=(400.0,)), caller(2, gender=Sex.MALE)

    verdict = solve([Waiting(10, "en", wished_caller=Sex.FEMALE)], [woman, man])

    assert verdict.caller_of == {10: 1}


def test_load_is_balanced_by_calls_against_hours_and_not_by_heads() -> None:
    """Twelve people: the one with three times the hours takes three times as many."""
    many_hours, few_hours = caller(1, weekly_minutes=1800), caller(2, weekly_minutes=600)

    verdict = solve([Waiting(number, "en") for number in range(12)], [many_hours, few_hours])

    assert Counter(verdict.caller_of.values()) == {1: 9, 2: 3}


def test_says_which_rule_left_somebody_out() -> None:
    patient = Waiting(10, "en")

    assert left_out_by(patient, [], {}) is LeftOut.NO_SHARED_LANGUAGE
    assert left_out_by(patient, [caller(1, is_trained=False)], {}) is LeftOut.NOT_TRAINED
    assert left_out_by(patient, [caller(1, cap=0)], {}) is LeftOut.PANELS_FULL
    assert left_out_by(patient, [caller(1, cap=3)], {1: 3}) is LeftOut.PANELS_FULL
    assert left_out_by(patient, [caller(1, cap=3)], {1: 2}) is LeftOut.HOURS_FULL


def test_shifts_are_compared_on_the_patients_clock() -> None:
    """9 to 12 in New York is 6 to 9 in Los Angeles, before anybody is called."""
    early = caller(1, zone="America/New_York", shifts=((0, time(9), time(12)),))

    assert worked_parts(early, "America/Los_Angeles", on=ON) == frozenset()
    assert worked_parts(early, "America/New_York", on=ON) == {(0, Daypart.MORNING)}
    assert (0, Daypart.EVENING) in worked_parts(caller(2), "America/Los_Angeles", on=ON)


def test_names_each_wish_that_is_not_met() -> None:
    mornings = caller(1, gender=Sex.MALE, shifts=((0, time(9), time(12)),), zone="America/Chicago")
    patient = Waiting(
        10,
        "en",
        "America/Chicago",
        Wishes(frozenset({0}), (Daypart.EVENING,)),
        Sex.FEMALE,
        former_id=2,
    )

    assert unmet(patient, mornings, on=ON) == (Unmet.CONTINUITY, Unmet.CALLER, Unmet.TIMES)
