"""Scores against every boundary of domain.md C and C1."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.questionnaires.rules import (
    INSTRUMENTS,
    PHQ_2_POSITIVE,
    Gap,
    Instrument,
    InstrumentCode,
    Method,
    Review,
    asks_for,
    first_open,
    next_to_ask,
    profile,
    review_of,
    score,
)

PHQ_9 = INSTRUMENTS[InstrumentCode.PHQ_9]
GAD_7 = INSTRUMENTS[InstrumentCode.GAD_7]


def summing_to(instrument: Instrument, total: int, *, keep: int | None = None) -> dict[int, int]:
    """Answers to all items that sum to ``total``, with 0 for the item ``keep``."""
    answers, left = {}, total
    for item in instrument.items:
        most = 0 if item.number == keep else instrument.answers[1]
        answers[item.number] = min(left, most)
        left -= answers[item.number]
    assert left == 0
    return answers


@pytest.mark.parametrize(
    ("total", "band"),
    [
        (0, "minimal"),
        (4, "minimal"),
        (5, "mild"),
        (9, "mild"),
        (10, "moderate"),
        (14, "moderate"),
        (15, "moderately severe"),
        (19, "moderately severe"),
        (20, "severe"),
        (24, "severe"),
    ],
)
def test_phq_9_bands_begin_where_published(total: int, band: str) -> None:
    found = score(PHQ_9, summing_to(PHQ_9, total, keep=9))

    assert (found.value, found.band, found.is_prorated) == (Decimal(total), band, False)


@pytest.mark.parametrize(
    ("total", "band"),
    [
        (0, "minimal"),
        (4, "minimal"),
        (5, "mild"),
        (9, "mild"),
        (10, "moderate"),
        (14, "moderate"),
        (15, "severe"),
        (21, "severe"),
    ],
)
def test_gad_7_bands_begin_where_published(total: int, band: str) -> None:
    assert score(GAD_7, summing_to(GAD_7, total)).band == band


@pytest.mark.parametrize(
    ("total", "review"),
    [
        (9, None),
        (10, Review.NEXT_CONTACT),
        (14, Review.NEXT_CONTACT),
        (15, Review.TWO_BUSINESS_DAYS),
        (19, Review.TWO_BUSINESS_DAYS),
        (20, Review.SAME_DAY),
        (24, Review.SAME_DAY),
    ],
)
def test_a_phq_9_is_looked_at_as_soon_as_its_total_asks(total: int, review: Review | None) -> None:
    assert review_of(PHQ_9, summing_to(PHQ_9, total, keep=9)) is review


@given(st.dictionaries(st.integers(1, 8), st.integers(0, 3)), st.integers(1, 3))
def test_any_answer_to_item_9_is_urgent_whatever_else_was_answered(
    others: dict[int, int], answer: int
) -> None:
    assert review_of(PHQ_9, {**others, 9: answer}) is Review.NOW


@given(st.dictionaries(st.integers(1, 8), st.integers(0, 3)))
def test_item_9_is_never_inferred(others: dict[int, int]) -> None:
    found = score(PHQ_9, others)

    assert (found.value, found.gap) == (None, Gap.SAFETY_ITEM_MISSING)
    assert review_of(PHQ_9, others) is None


@pytest.mark.parametrize(("left_out", "value"), [((), 16), ((1,), 16), ((1, 2), 15)])
def test_up_to_two_missing_items_are_prorated_and_marked(
    left_out: tuple[int, ...], value: int
) -> None:
    """Eight items of 2, item 9 of 0: 16; without one 14 x 9/8 = 15.75; without two 12 x 9/7."""
    answers = {number: 2 for number in range(1, 9) if number not in left_out} | {9: 0}

    found = score(PHQ_9, answers)

    assert (found.value, found.missing, found.is_prorated) == (
        Decimal(value),
        left_out,
        bool(left_out),
    )


def test_three_missing_items_leave_no_score() -> None:
    found = score(PHQ_9, dict.fromkeys(range(4, 10), 3))

    assert (found.value, found.gap, found.missing) == (None, Gap.TOO_MANY_MISSING, (1, 2, 3))


@given(st.dictionaries(st.integers(1, 7), st.integers(0, 3), max_size=6))
def test_gad_7_is_never_prorated(answers: dict[int, int]) -> None:
    assert score(GAD_7, answers).gap is Gap.TOO_MANY_MISSING


NO_TOTAL = (Method.PROFILE, Method.PARTS)
SCORED = sorted(code for code, each in INSTRUMENTS.items() if each.method not in NO_TOTAL)


@given(st.data(), st.sampled_from(SCORED))
def test_a_score_lies_within_what_the_answers_allow(
    data: st.DataObject, code: InstrumentCode
) -> None:
    instrument = INSTRUMENTS[code]
    low, high = instrument.answers
    answers = {item.number: data.draw(st.integers(low, high)) for item in instrument.items}

    value = score(instrument, answers).value

    count = len(instrument.items) if instrument.method == "sum" else 1
    assert value is not None
    assert low * count <= value <= high * count


@given(st.lists(st.integers(1, 5), min_size=8, max_size=10))
def test_care_replaces_up_to_two_missing_items_by_the_mean_of_the_rest(given: list[int]) -> None:
    found = score(INSTRUMENTS[InstrumentCode.CARE], dict(enumerate(given, start=1)))

    exact = Decimal(sum(given)) * 10 / len(given)
    assert found.value is not None
    assert abs(found.value - exact) <= Decimal("0.5")


@pytest.mark.parametrize(
    ("total", "value", "band"),
    [
        (17, "1.0", "little distress"),
        (33, "1.9", "little distress"),
        (34, "2.0", "moderate distress"),
        (50, "2.9", "moderate distress"),
        (51, "3.0", "high distress"),
        (102, "6.0", "high distress"),
    ],
)
def test_distress_is_a_mean_with_published_cuts(total: int, value: str, band: str) -> None:
    """The DDS-17: a total just below a cut never rounds up to it."""
    answers = {number: total // 17 + (number <= total % 17) for number in range(1, 18)}
    found = score(INSTRUMENTS[InstrumentCode.DDS_17], answers)

    assert (found.value, found.band) == (Decimal(value), band)


def test_peg_is_the_mean_of_its_three_items() -> None:
    assert score(INSTRUMENTS[InstrumentCode.PEG], {1: 5, 2: 6, 3: 9}).value == Decimal("6.7")


@pytest.mark.parametrize("answers", [{1: 4}, {1: -1}, {11: 0}, {0: 1}])
def test_an_answer_that_cannot_be_is_refused(answers: dict[int, int]) -> None:
    with pytest.raises(ValueError, match="PHQ-9"):
        score(PHQ_9, answers)


def test_phq_2_is_the_first_two_items_of_the_phq_9() -> None:
    phq_2 = INSTRUMENTS[InstrumentCode.PHQ_2]

    assert phq_2.items == PHQ_9.items[:2]
    assert score(phq_2, {1: 0, 2: 3}).value == PHQ_2_POSITIVE


def test_licensed_instruments_bring_no_wording() -> None:
    for instrument in INSTRUMENTS.values():
        assert all(bool(item.text) != instrument.is_licensed for item in instrument.items)


@pytest.mark.parametrize(
    ("code", "value", "follows"),
    [
        (InstrumentCode.PHQ_2, "2", None),
        (InstrumentCode.PHQ_2, "3", InstrumentCode.PHQ_9),
        (InstrumentCode.PHQ_2, "6", InstrumentCode.PHQ_9),
        (InstrumentCode.DDS_2, "2.5", None),
        (InstrumentCode.DDS_2, "3", InstrumentCode.DDS_17),
        (InstrumentCode.GAD_7, "21", None),
        (InstrumentCode.PHQ_2, None, None),
    ],
)
def test_a_positive_screener_asks_for_the_whole(
    code: InstrumentCode, value: str | None, follows: InstrumentCode | None
) -> None:
    assert asks_for(code, Decimal(value) if value else None) is follows


@pytest.mark.parametrize(
    ("total", "band"), [(3, "3 to 5"), (5, "3 to 5"), (6, "6 to 7"), (7, "6 to 7"), (8, "8 to 9")]
)
def test_ucla_3_bands_begin_where_published(total: int, band: str) -> None:
    assert INSTRUMENTS[InstrumentCode.UCLA_3].band_of(Decimal(total)) == band


@pytest.mark.parametrize(
    ("answer", "band"),
    [(0, "none"), (1, "mild"), (3, "mild"), (4, "moderate"), (6, "moderate"), (7, "severe")],
)
def test_pain_bands_begin_where_published(answer: int, band: str) -> None:
    assert score(INSTRUMENTS[InstrumentCode.PAIN], {1: answer}).band == band


@pytest.mark.parametrize(
    ("answers", "band"),
    [((2, 3), "negative"), ((3, 3), "positive"), ((1, 1), "negative"), ((6, 6), "positive")],
)
def test_dds_2_is_positive_from_a_mean_of_3(answers: tuple[int, int], band: str) -> None:
    assert score(INSTRUMENTS[InstrumentCode.DDS_2], {1: answers[0], 2: answers[1]}).band == band


@pytest.mark.parametrize(("count", "is_scored"), [(10, True), (9, True), (8, True), (7, False)])
def test_care_bears_two_missing_items_and_not_three(count: int, *, is_scored: bool) -> None:
    found = score(INSTRUMENTS[InstrumentCode.CARE], dict.fromkeys(range(1, count + 1), 4))

    assert (found.value is not None) is is_scored


@pytest.mark.parametrize(
    ("total", "review"), [(9, None), (10, Review.NEXT_CONTACT), (21, Review.NEXT_CONTACT)]
)
def test_a_gad_7_is_positive_from_10(total: int, review: Review | None) -> None:
    assert review_of(GAD_7, summing_to(GAD_7, total)) is review


def test_an_eq_5d_is_a_profile_and_no_score() -> None:
    eq_5d = INSTRUMENTS[InstrumentCode.EQ_5D]
    answers = {1: 2, 2: 1, 3: 2, 4: 3, 5: 2}
    found = score(eq_5d, answers)

    assert (found.value, found.gap) == (None, Gap.NO_INDEX)
    assert profile(eq_5d, answers) == "21232"
    assert profile(eq_5d, {1: 2}) == "2----"
    assert score(eq_5d, {1: 2}).gap is Gap.TOO_MANY_MISSING


@given(
    st.dictionaries(st.integers(1, 9), st.integers(0, 3)),
    st.integers(0, 3),
)
def test_how_difficult_it_makes_life_changes_no_score(answers: dict[int, int], hard: int) -> None:
    with_it = {**answers, 10: hard}

    assert score(PHQ_9, with_it) == score(PHQ_9, answers)
    assert review_of(PHQ_9, with_it) == review_of(PHQ_9, answers)
    assert first_open(PHQ_9, with_it) == first_open(PHQ_9, answers)


def test_how_difficult_it_is_is_asked_last_and_of_those_with_a_problem() -> None:
    none, some = dict.fromkeys(range(1, 10), 0), {**dict.fromkeys(range(1, 10), 0), 4: 1}

    assert next_to_ask(PHQ_9, {4: 1}, ()) == 1
    assert next_to_ask(PHQ_9, none, ()) is None
    assert next_to_ask(PHQ_9, some, ()) == 10
    assert next_to_ask(PHQ_9, some, (10,)) is None
    assert next_to_ask(PHQ_9, {**some, 10: 2}, ()) is None


def test_how_difficult_it_is_has_four_answers() -> None:
    with pytest.raises(ValueError, match="no answer 4 to item 10"):
        score(PHQ_9, {10: 4})
