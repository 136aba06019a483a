"""The registry of measures: one row a kind. Pure data; source of every row: domain.md C.

What is marked [M] there was not found in a source: such figures are marked here as well
(``maybe``, ``unverified``) and shown as unverified, until the clinic's medical lead confirms
them. Scores of questionnaires come from their items and are entered by nobody.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from outreach.accounts.rules import Role
from outreach.measures.rules.kinds import (
    Bound,
    Change,
    Level,
    Measure,
    MeasureKind,
    Place,
    Range,
    Side,
    Threshold,
    Unit,
)

_NURSE = frozenset({Role.NURSE})
_BOTH = frozenset({Role.CALLER, Role.NURSE})
_NOBODY: frozenset[Role] = frozenset()
_EVERYWHERE = frozenset(Place)
_CALL_AND_CHART = frozenset({Place.CALL, Place.CHART})
_CHART = frozenset({Place.CHART})


def _unit(factor: str, decimals: int, offset: str = "0") -> Unit:
    return Unit(Decimal(factor), Decimal(offset), decimals)


def _range(low: str, high: str) -> Range:
    return Range(Decimal(low), Decimal(high))


def _is(side: Side, value: str, level: Level, *, drawn: bool = False) -> Threshold:
    return Threshold(side, Decimal(value), level, is_verified=True, is_drawn=drawn)


def _maybe(side: Side, value: str, level: Level, *, drawn: bool = False) -> Threshold:
    """Return a threshold that is from memory."""
    return Threshold(side, Decimal(value), level, is_verified=False, is_drawn=drawn)


def _by(points: str = "", *, share: str = "", verified: bool = False) -> Change:
    """Return a change that counts; most of them are from memory."""
    return Change(Decimal(points) if points else None, Decimal(share) if share else None, verified)


# Glucose: mmol/L = mg/dL / 18.016. HbA1c: the IFCC's master equations, each way as published.
_GLUCOSE_UNITS = {"mg/dL": _unit("1", 0), "mmol/L": _unit("18.016", 1)}
_HBA1C_UNITS = {
    "%": _unit("1", 1),
    "mmol/mol": Unit(
        Decimal("0.0915"),
        Decimal("2.15"),
        0,
        back=(Decimal("10.93"), Decimal("-23.5")),
        hard=_range("9", "195"),
        soft=_range("20", "140"),
    ),
}
_PRESSURE_UNITS = {"mm[Hg]": _unit("1", 0)}
# Exact by definition: the international pound and inch.
_WEIGHT_UNITS = {"kg": _unit("1", 1), "[lb_av]": _unit("0.45359237", 1)}
_HEIGHT_UNITS = {"cm": _unit("1", 1), "[in_i]": _unit("2.54", 1)}

_VERY_LOW = _is(Side.BELOW, "54", Level.VERY_LOW)
_LOW = _is(Side.BELOW, "70", Level.LOW, drawn=True)
_SAME_DAY = _is(Side.FROM, "300", Level.NURSE_SAME_DAY)
_NOW = _is(Side.FROM, "400", Level.NURSE_NOW)
_ANY_TIME = (_VERY_LOW, _LOW, _maybe(Side.FROM, "180", Level.HIGH, drawn=True), _SAME_DAY, _NOW)
_BEFORE_EATING = (_VERY_LOW, _LOW, _maybe(Side.ABOVE, "130", Level.HIGH), _SAME_DAY, _NOW)


def _glucose(
    kind: MeasureKind,
    loinc: str,
    soft: Range,
    thresholds: tuple[Threshold, ...],
    entered_by: frozenset[Role],
    unverified: str = "",
) -> Measure:
    return Measure(
        kind,
        loinc,
        "mg/dL",
        _GLUCOSE_UNITS,
        _range("10", "1000"),
        soft,
        thresholds,
        entered_by,
        _EVERYWHERE,
        unverified=unverified,
    )


def _score(
    kind: MeasureKind,
    loinc: str | None,
    hard: tuple[str, str],
    thresholds: tuple[Threshold, ...] = (),
    *,
    decimals: int = 0,
    entered_by: frozenset[Role] = _NOBODY,
    shown_on: frozenset[Place] = _CALL_AND_CHART,
    unit: str = "{score}",
    change: Change | None = None,
    unverified: str = "",
) -> Measure:
    both = _range(*hard)
    return Measure(
        kind,
        loinc,
        unit,
        {unit: _unit("1", decimals)},
        both,
        both,
        thresholds,
        entered_by,
        shown_on,
        is_whole=decimals == 0,
        change=change,
        unverified=unverified,
    )


_MEASURES = (
    Measure(
        MeasureKind.HBA1C,
        "4548-4",
        "%",
        _HBA1C_UNITS,
        _range("3.0", "20.0"),
        _range("4.0", "15.0"),
        (
            _is(Side.BELOW, "7", Level.GOAL),
            _is(Side.FROM, "7.5", Level.TRIAL_ENTRY),
            _is(Side.BELOW, "8", Level.GOOD, drawn=True),
            _is(Side.ABOVE, "9", Level.POOR, drawn=True),
        ),
        _BOTH,
        _EVERYWHERE,
        change=_by("0.5"),
        apart=timedelta(weeks=8),
        unverified="8 weeks between two tests; average blood sugar",
    ),
    Measure(
        MeasureKind.GMI,
        "97506-0",
        "%",
        {"%": _unit("1", 1)},
        _range("4", "16"),
        _range("4", "16"),
        (
            _is(Side.BELOW, "8", Level.GOOD, drawn=True),
            _is(Side.ABOVE, "9", Level.POOR, drawn=True),
        ),
        _NURSE,
        frozenset({Place.CHART, Place.REPORT}),
        has_period=True,
    ),
    _glucose(MeasureKind.GLUCOSE, "41653-7", _range("40", "400"), _ANY_TIME, _BOTH),
    _glucose(MeasureKind.GLUCOSE_FASTING, "41604-0", _range("50", "350"), _BEFORE_EATING, _BOTH),
    _glucose(
        MeasureKind.GLUCOSE_LAB,
        "2345-7",
        _range("40", "400"),
        _ANY_TIME,
        _NURSE,
        unverified="LOINC",
    ),
    _glucose(
        MeasureKind.GLUCOSE_LAB_FASTING,
        "1558-6",
        _range("50", "350"),
        _BEFORE_EATING,
        _NURSE,
        unverified="LOINC",
    ),
    Measure(
        MeasureKind.SYSTOLIC,
        "8480-6",
        "mm[Hg]",
        _PRESSURE_UNITS,
        _range("50", "300"),
        _range("80", "200"),
        (
            _maybe(Side.BELOW, "90", Level.LOW),
            _is(Side.FROM, "130", Level.STAGE_1, drawn=True),
            _is(Side.FROM, "140", Level.STAGE_2),
            _is(Side.FROM, "180", Level.URGENT, drawn=True),
        ),
        _BOTH,
        _EVERYWHERE,
        is_whole=True,
    ),
    Measure(
        MeasureKind.DIASTOLIC,
        "8462-4",
        "mm[Hg]",
        _PRESSURE_UNITS,
        _range("20", "200"),
        _range("40", "120"),
        (
            _is(Side.FROM, "80", Level.STAGE_1, drawn=True),
            _is(Side.FROM, "90", Level.STAGE_2),
            _is(Side.FROM, "120", Level.URGENT),
        ),
        _BOTH,
        _EVERYWHERE,
        is_whole=True,
    ),
    Measure(
        MeasureKind.PULSE,
        "8867-4",
        "/min",
        {"/min": _unit("1", 0)},
        _range("20", "250"),
        _range("40", "130"),
        (),
        _BOTH,
        _CHART,
        is_whole=True,
    ),
    Measure(
        MeasureKind.WEIGHT,
        "29463-7",
        "kg",
        _WEIGHT_UNITS,
        _range("20", "400"),
        _range("35", "250"),
        (),
        _BOTH,
        _EVERYWHERE,
    ),
    Measure(
        MeasureKind.HEIGHT,
        "8302-2",
        "cm",
        _HEIGHT_UNITS,
        _range("90", "250"),
        _range("90", "250"),
        (),
        _NURSE,
        _CHART,
    ),
    Measure(
        MeasureKind.BMI,
        "39156-5",
        "kg/m2",
        {"kg/m2": _unit("1", 1)},
        _range("8", "100"),
        _range("15", "60"),
        (
            _maybe(Side.FROM, "25", Level.OVERWEIGHT),
            _maybe(Side.FROM, "30", Level.OBESE),
            _maybe(Side.FROM, "35", Level.OBESE_2),
            _maybe(Side.FROM, "40", Level.OBESE_3),
        ),
        _NOBODY,
        _CHART,
        unverified="LOINC",
    ),
    _score(MeasureKind.PHQ2_TOTAL, "55758-7", ("0", "6"), (_is(Side.FROM, "3", Level.POSITIVE),)),
    _score(
        MeasureKind.PHQ9_TOTAL,
        "44261-6",
        ("0", "27"),
        (
            _is(Side.FROM, "5", Level.MILD),
            _is(Side.FROM, "10", Level.MODERATE, drawn=True),
            _is(Side.FROM, "15", Level.MODERATELY_SEVERE),
            _is(Side.FROM, "20", Level.SEVERE, drawn=True),
        ),
        shown_on=_EVERYWHERE,
        change=_by("5", verified=True),
    ),
    _score(
        MeasureKind.GAD7_TOTAL,
        "70274-6",
        ("0", "21"),
        (
            _maybe(Side.FROM, "5", Level.MILD),
            _is(Side.FROM, "10", Level.MODERATE, drawn=True),
            _maybe(Side.FROM, "15", Level.SEVERE),
        ),
        shown_on=_EVERYWHERE,
        change=_by("4"),
    ),
    _score(MeasureKind.PEG_MEAN, "91147-9", ("0", "10"), decimals=1, change=_by(share="0.3")),
    _score(
        MeasureKind.PAIN,
        "72514-3",
        ("0", "10"),
        (
            _is(Side.FROM, "1", Level.MILD),
            _is(Side.FROM, "4", Level.MODERATE),
            _is(Side.FROM, "7", Level.SEVERE, drawn=True),
        ),
        change=_by("2", share="0.3"),
    ),
    _score(
        MeasureKind.DDS2_MEAN,
        None,
        ("1", "6"),
        (_is(Side.FROM, "3", Level.POSITIVE, drawn=True),),
        decimals=1,
    ),
    _score(
        MeasureKind.DDS17_MEAN,
        None,
        ("1", "6"),
        (
            _is(Side.FROM, "2", Level.MODERATE, drawn=True),
            _is(Side.FROM, "3", Level.HIGH, drawn=True),
        ),
        decimals=1,
    ),
    _score(
        MeasureKind.UCLA3_TOTAL,
        None,
        ("3", "9"),
        (_maybe(Side.FROM, "6", Level.LONELY, drawn=True),),
    ),
    _score(
        MeasureKind.CARE_TOTAL,
        None,
        ("10", "50"),
        (_is(Side.FROM, "30", Level.VERY_EMPATHIC, drawn=True),),
        shown_on=_CHART,
    ),
    _score(MeasureKind.EQ_VAS, None, ("0", "100"), entered_by=_NURSE, shown_on=_CHART),
    _score(
        MeasureKind.PROMIS_MENTAL,
        "71969-0",
        ("16", "68"),
        decimals=1,
        entered_by=_NURSE,
        shown_on=_CHART,
        unit="{Tscore}",
        unverified="terms of use",
    ),
    _score(
        MeasureKind.PROMIS_PHYSICAL,
        "71971-6",
        ("16", "68"),
        decimals=1,
        entered_by=_NURSE,
        shown_on=_CHART,
        unit="{Tscore}",
        unverified="terms of use",
    ),
    _score(
        MeasureKind.SELF_RATED_HEALTH,
        None,
        ("1", "5"),
        (_maybe(Side.BELOW, "3", Level.FAIR_OR_POOR, drawn=True),),
        entered_by=_NURSE,
        shown_on=_CHART,
        unverified="PROMIS item",
    ),
    _score(
        MeasureKind.PDSMS_TOTAL,
        None,
        ("8", "40"),
        unverified="which items are turned",
    ),
    *(
        _score(kind, None, ("0", "7"), decimals=1, unverified="which items make the mean")
        for kind in (
            MeasureKind.SDSCA_GENERAL_DIET,
            MeasureKind.SDSCA_SPECIFIC_DIET,
            MeasureKind.SDSCA_EXERCISE,
            MeasureKind.SDSCA_TESTING,
            MeasureKind.SDSCA_FEET,
        )
    ),
)
REGISTRY: Mapping[MeasureKind, Measure] = {measure.kind: measure for measure in _MEASURES}

# What stands for 'HI' and 'LO' in charts: common meters show numbers from 20 to 600 mg/dL.
# From memory; no rule uses these figures, the ladder asks for the word.
METER_SHOWS = {Bound.HIGH: Decimal(600), Bound.LOW: Decimal(20)}


def entered_by(role: Role) -> list[Measure]:
    """Return what somebody of ``role`` may enter, in the registry's order."""
    return [measure for measure in _MEASURES if role in measure.entered_by]


def shown_on(place: Place) -> list[MeasureKind]:
    """Return what is shown at a place, in the registry's order."""
    return [measure.kind for measure in _MEASURES if place in measure.shown_on]
