"""Which blood sugars the low-sugar card is read with, and what it may say."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.low_sugar import BUILT_IN
from outreach.concerns.rules import (
    FRESH,
    CardFault,
    ConcernKind,
    Limits,
    LowSugar,
    Measured,
    Urgency,
    faults,
    low_now,
    trigger_of,
)
from outreach.concerns.rules.low_sugar import LONGEST_LINE, MOST_LINES, doses_in, lines_of
from outreach.measures.rules import GLUCOSE, METER_SHOWS, REGISTRY, Bound, MeasureKind

NOW = datetime(2026, 3, 2, 16, tzinfo=UTC)
values = st.decimals(10, 600, places=1)
lows = st.one_of(st.none(), st.decimals(54, 150, places=0))


def measured(value: str, *, ago: timedelta = timedelta(0), bound: Bound | None = None) -> Measured:
    return Measured(MeasureKind.GLUCOSE, Decimal(value), NOW - ago, bound=bound)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("53.9", LowSugar.LEVEL_2),
        ("54", LowSugar.LEVEL_1),
        ("69", LowSugar.LEVEL_1),
        ("70", None),
        ("300", None),
    ],
)
def test_the_levels_begin_where_the_ladder_says(value: str, level: LowSugar | None) -> None:
    assert low_now(measured(value), now=NOW) is level


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("2.9", LowSugar.LEVEL_2),
        ("3.0", LowSugar.LEVEL_1),
        ("3.8", LowSugar.LEVEL_1),
        ("4.0", None),
    ],
)
def test_millimoles_are_the_same_lows(value: str, level: LowSugar | None) -> None:
    glucose = REGISTRY[MeasureKind.GLUCOSE]
    canonical = glucose.in_canonical_unit(Decimal(value), "mmol/L")

    assert low_now(measured(str(canonical)), now=NOW) is level


def test_own_limits_move_the_first_level_and_never_the_second() -> None:
    assert low_now(measured("75"), now=NOW, own=Limits(low=Decimal(80))) is LowSugar.LEVEL_1
    assert low_now(measured("65"), now=NOW, own=Limits(low=Decimal(60))) is None
    assert low_now(measured("65"), now=NOW, own=Limits(high=Decimal(250))) is LowSugar.LEVEL_1
    assert low_now(measured("50"), now=NOW, own=Limits(low=Decimal(54))) is LowSugar.LEVEL_2


def test_a_meter_that_shows_lo_is_level_2_and_hi_is_none() -> None:
    lo, hi = (measured(str(METER_SHOWS[each]), bound=each) for each in (Bound.LOW, Bound.HIGH))

    assert (low_now(lo, now=NOW), low_now(hi, now=NOW)) == (LowSugar.LEVEL_2, None)


def test_an_old_low_is_nothing_to_treat_now() -> None:
    assert low_now(measured("50", ago=FRESH), now=NOW) is LowSugar.LEVEL_2
    assert low_now(measured("50", ago=FRESH + timedelta(seconds=1)), now=NOW) is None


def test_only_blood_sugar_is_low() -> None:
    pulse = Measured(MeasureKind.PULSE, Decimal(50), NOW)

    assert low_now(pulse, now=NOW) is None


@given(
    value=values,
    low=lows,
    hours=st.integers(0, 72),
    kind=st.sampled_from(sorted(GLUCOSE)),
)
def test_the_card_is_read_exactly_where_the_ladder_raises_a_low_of_now(
    value: Decimal, low: Decimal | None, hours: int, kind: MeasureKind
) -> None:
    own, taken_at = Limits(low=low) if low else None, NOW - timedelta(hours=hours)
    trigger = trigger_of(kind, value, taken_at=taken_at, now=NOW, own=own)
    level = low_now(Measured(kind, value, taken_at), now=NOW, own=own)

    is_low = trigger is not None and trigger.kind is ConcernKind.GLUCOSE_LOW
    urgency = trigger.urgency if trigger is not None and is_low else None
    raised = {Urgency.NOW: LowSugar.LEVEL_2, Urgency.SAME_DAY: LowSugar.LEVEL_1}
    assert level == (raised.get(urgency) if urgency else None)


@pytest.mark.parametrize("language", BUILT_IN)
def test_the_words_that_come_with_the_product_are_fit(language: str) -> None:
    assert faults("\n".join(BUILT_IN[language])) == []


@pytest.mark.parametrize(
    "line",
    [
        "Eat 15 grams of sugar, or drink half a cup (120 ml) of juice.",
        "Take 4 glucose tablets and wait 15 minutes.",
        "Measure again: it should be above 70 mg/dL.",
        "Mida otra vez: debe estar por encima de 70 mg / dL.",
        "Coma 4 tabletas de glucosa o 3 caramelos.",
        "Tome 150 ml de suco e espere 15 minutos.",
        "Somebody may use your glucagon the way you were shown.",
        "Two of us can go through it together. You are not alone.",
    ],
)
def test_food_drink_and_what_a_meter_shows_may_stand_on_it(line: str) -> None:
    assert doses_in(line) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Take 2 units less tonight.", "2 units"),
        ("Take fewer units.", "units"),
        ("Skip your insulin.", "insulin"),
        ("Take 1mg of glucagon.", "1mg"),
        ("Inject 0.5 MG.", "0.5 mg"),
        ("Take 500 μg.", "500 μg"),
        ("Take half the dose.", "dose"),
        ("Take 4 U now.", "4 u"),
        ("Do not take your diabetes medicine.", "medicine"),
        ("No se ponga la insulina.", "insulina"),
        ("Póngase 2 unidades menos.", "2 unidades"),
        ("Tome la mitad de la dosis.", "dosis"),
        ("No tome su medicación.", "medicacion"),
        ("Não tome o remédio.", "remedio"),
        ("Tome metade da dose.", "dose"),
        ("Tome meia pílula de metformina.", "pilula"),
        ("Take １０ ｕｎｉｔｓ.", "10 units"),
    ],
)
def test_doses_and_medicines_are_refused_in_each_language(line: str, words: str) -> None:
    found = faults(line)

    assert found[0] == (CardFault.DOSE, words)


@given(
    number=st.integers(0, 999),
    unit=st.sampled_from(["units", "unit", "mg", "mcg", "IU", "unidades", "UI", "miligramos"]),
    gap=st.sampled_from(["", " ", "\u00a0", "  "]),
    before=st.text(st.characters(categories=["Ll", "Lu", "Zs"]), max_size=30),
)
def test_no_amount_in_a_unit_of_medicine_gets_through(
    number: int, unit: str, gap: str, before: str
) -> None:
    found = faults(f"{before} {number}{gap}{unit} now")

    assert CardFault.DOSE in {each.fault for each in found}


@given(st.text(max_size=300))
def test_any_text_is_judged_and_its_lines_are_clean(text: str) -> None:
    lines = lines_of(text)

    assert all(line and line == " ".join(line.split()) for line in lines)
    assert (CardFault.EMPTY in {each.fault for each in faults(text)}) == (not lines)


def test_what_is_read_aloud_is_short() -> None:
    too_long = "a" * (LONGEST_LINE + 1)

    assert faults("") == [(CardFault.EMPTY, "")]
    assert faults("\n".join(["Wait."] * MOST_LINES)) == []
    assert faults("\n".join(["Wait."] * (MOST_LINES + 1))) == [(CardFault.TOO_MANY_LINES, "")]
    assert faults(too_long) == [(CardFault.LINE_TOO_LONG, too_long)]
