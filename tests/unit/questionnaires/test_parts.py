"""Items that are turned, and parts with scores of their own. Source: domain.md B2 and C4."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.questionnaires.rules import (
    INSTRUMENTS,
    Gap,
    Instrument,
    InstrumentCode,
    part_scores,
    score,
)

PDSMS = INSTRUMENTS[InstrumentCode.PDSMS]
SDSCA = INSTRUMENTS[InstrumentCode.SDSCA]
PROQOL = INSTRUMENTS[InstrumentCode.PROQOL]


def all_of(instrument: Instrument, answer: int) -> dict[int, int]:
    return {item.number: answer for item in instrument.items}


def counted_as(instrument: Instrument, value: int) -> dict[int, int]:
    """Answers that each add ``value`` to a score, however their item is turned."""
    return {item.number: instrument.counts_as(item.number, value) for item in instrument.items}


@pytest.mark.parametrize(("value", "total"), [(1, 8), (3, 24), (5, 40)])
def test_pdsms_goes_from_8_to_40_with_four_items_turned(value: int, total: int) -> None:
    found = score(PDSMS, counted_as(PDSMS, value))

    assert (found.value, found.band, found.is_prorated) == (Decimal(total), None, False)


def test_pdsms_turns_items_1_2_6_and_7() -> None:
    assert score(PDSMS, all_of(PDSMS, 5)).value == 4 * 5 + 4 * 1
    assert score(PDSMS, {**all_of(PDSMS, 3), 1: 5}).value == 24 - 2
    assert score(PDSMS, {**all_of(PDSMS, 3), 3: 5}).value == 24 + 2


@given(st.dictionaries(st.integers(1, 8), st.integers(1, 5), max_size=7))
def test_pdsms_is_never_prorated(answers: dict[int, int]) -> None:
    assert score(PDSMS, answers).gap is Gap.TOO_MANY_MISSING


@pytest.mark.parametrize(
    ("answers", "part", "days"),
    [
        ({1: 0, 2: 0}, "general_diet", "0.0"),
        ({1: 7, 2: 7}, "general_diet", "7.0"),
        ({1: 3, 2: 4}, "general_diet", "3.5"),
        ({3: 7, 4: 0}, "specific_diet", "7.0"),
        ({3: 0, 4: 7}, "specific_diet", "0.0"),
        ({3: 5, 4: 2}, "specific_diet", "5.0"),
        ({5: 2, 6: 1}, "exercise", "1.5"),
        ({7: 7, 8: 6}, "testing", "6.5"),
        ({9: 0, 10: 1}, "feet", "0.5"),
        ({9: 7}, "feet", None),
        ({}, "exercise", None),
    ],
)
def test_sdsca_is_mean_days_of_each_part(
    answers: dict[int, int], part: str, days: str | None
) -> None:
    found = {each.part.code: each.value for each in part_scores(SDSCA, answers)}

    assert found[part] == (Decimal(days) if days else None)


@given(st.dictionaries(st.integers(1, 10), st.integers(0, 7)))
def test_sdsca_has_no_total_and_a_part_without_an_answer_spoils_no_other(
    answers: dict[int, int],
) -> None:
    parts = part_scores(SDSCA, answers)
    result = score(SDSCA, answers)

    for each in parts:
        assert (each.value is not None) is (set(each.part.items) <= set(answers))
        assert each.value is None or 0 <= each.value <= 7
    is_any = any(each.value is not None for each in parts)
    assert (result.value, result.is_prorated) == (None, False)
    assert result.gap is (Gap.NO_TOTAL if is_any else Gap.TOO_MANY_MISSING)


@pytest.mark.parametrize(
    ("total", "band"),
    [
        (10, "low"),
        (22, "low"),
        (23, "moderate"),
        (41, "moderate"),
        (42, "high"),
        (50, "high"),
    ],
)
@pytest.mark.parametrize("part", ["satisfaction", "burnout", "secondary_stress"])
def test_proqol_bands_begin_where_published(part: str, total: int, band: str) -> None:
    (scale,) = (each for each in PROQOL.parts if each.code == part)
    answers, left = {}, total - 10
    for number in scale.items:
        more = min(left, 4)
        left -= more
        answers[number] = PROQOL.counts_as(number, 1 + more)

    found = {each.part.code: each for each in part_scores(PROQOL, answers)}

    assert (found[part].value, found[part].band) == (Decimal(total), band)


def test_proqol_turns_five_items_all_of_burnout() -> None:
    found = {each.part.code: each.value for each in part_scores(PROQOL, all_of(PROQOL, 5))}

    assert found == {
        "satisfaction": Decimal(50),
        "burnout": Decimal(5 * 5 + 5 * 1),
        "secondary_stress": Decimal(50),
    }
    for number in (1, 4, 15, 17, 29):
        lower = part_scores(PROQOL, {**all_of(PROQOL, 3), number: 5})
        assert {each.part.code: each.value for each in lower}["burnout"] == 28


def test_a_scale_of_the_proqol_with_an_item_missing_has_no_score() -> None:
    answers = all_of(PROQOL, 3)
    del answers[30]
    found = {each.part.code: each.value for each in part_scores(PROQOL, answers)}

    assert found == {"satisfaction": None, "burnout": 30, "secondary_stress": 30}


@pytest.mark.parametrize(
    ("part", "numbers"),
    [
        ("emotional", (1, 4, 7, 10, 14)),
        ("physician", (2, 5, 11, 15)),
        ("regimen", (3, 6, 8, 12, 16)),
        ("interpersonal", (9, 13, 17)),
    ],
)
def test_a_part_of_the_dds_17_is_the_mean_of_its_items(part: str, numbers: tuple[int, ...]) -> None:
    dds_17 = INSTRUMENTS[InstrumentCode.DDS_17]
    answers = all_of(dds_17, 1) | dict.fromkeys(numbers, 3)

    found = {each.part.code: (each.value, each.band) for each in part_scores(dds_17, answers)}

    assert found[part] == (Decimal("3.0"), "high distress")
    assert {said for code, said in found.items() if code != part} == {
        (Decimal("1.0"), "little distress")
    }


def test_only_the_proqol_is_about_the_people_who_call() -> None:
    assert {code for code, each in INSTRUMENTS.items() if each.is_for_staff} == {
        InstrumentCode.PROQOL
    }


@pytest.mark.parametrize(
    "code", [InstrumentCode.DDS_17, InstrumentCode.SDSCA, InstrumentCode.PROQOL]
)
def test_the_parts_of_a_questionnaire_hold_each_item_once(code: InstrumentCode) -> None:
    instrument = INSTRUMENTS[code]
    numbers = [number for part in instrument.parts for number in part.items]
    assert sorted(numbers) == [item.number for item in instrument.items]
