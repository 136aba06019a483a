"""Outcomes and the cohort board on paper: what their pages show, in the words of files."""

from collections.abc import Mapping, Sequence
from typing import Any

from babel import Locale
from sqlalchemy.orm import Session

from outreach.exports import paper
from outreach.exports.asked_of import Question
from outreach.exports.outcome_tables import cohort_of, what_of
from outreach.exports.outcome_words import (
    BOARD_DEFINITIONS,
    CAUTION,
    COHORT_STANDINGS,
    DEFINITIONS,
    DIMENSIONS,
    HIDDEN,
    MEANS,
    NAMES,
    POINTS,
    STANDINGS,
    STRATA,
    UNITS,
)
from outreach.exports.paper import MISSING, Paper, between, fixed, share, signed, table
from outreach.measures.rules import GLUCOSE, REGISTRY
from outreach.reports import cohort, outcomes, strata
from outreach.reports.breakdown import Dimension
from outreach.reports.curves import doses_of, moments_of
from outreach.reports.rules.board import (
    UNDER_CARE,
    BoardCohort,
    BoardMonth,
    CohortStanding,
    Month,
    Standing,
)
from outreach.reports.rules.glycaemic import GlycaemicGroup
from outreach.reports.rules.outcomes import (
    FOLLOW_UPS,
    HBA1C_HIGH,
    HBA1C_LOW,
    KINDS,
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    Stratum,
    decimals_of,
    measured_throughout,
    outcome_of,
)
from outreach.reports.rules.statistics import Share, rank_correlation
from outreach.web.charts import Limit
from outreach.web.plots import columns, courses, scatter


def outcomes_paper(session: Session, question: Question) -> Paper:
    """Return the outcomes page on paper, with the measure, point and groups that it shows."""
    dimension = question.choice(Dimension, "by", Dimension.PHQ9)
    found, (measure, point) = cohort_of(session, question), what_of(question)
    by_kind = strata.of(session, question.here, question.day, found, (measure, point), dimension)
    every = {
        (each, at): outcome_of(found.patients, each, at, today=found.today)
        for each in OutcomeMeasure
        for at in FOLLOW_UPS
    }
    chosen = every[measure, point]
    glycaemic = outcomes.glycaemic_status(session, question.here, question.day)
    data = {
        "caution": CAUTION,
        "changes": _changes(every, question),
        "unmeasured": _unmeasured(every),
        "chosen": f"{NAMES[measure]}, {POINTS[point].lower()}",
        "course": _course(chosen, question),
        "measured": _measured(chosen, question),
        "levels": _levels(chosen),
        "by": DIMENSIONS[dimension],
        "about_groups": "Groups of fewer than 11 patients, eligible or measured, are hidden, and"
        " another with them where the total would tell.",
        "groups": _groups(by_kind, chosen, dimension, question),
        "doses": _doses(chosen),
        "about_doses": "Those who are worse may be called more, and those who are called more may"
        " be better at coming to be measured. Which leads to which can't be read from this.",
        "glycaemic": table(
            ("Of everybody enrolled, 18 to 75 years old", "Patients"),
            [
                (words, share(glycaemic.share(group), with_interval=True))
                for group, words in (
                    (GlycaemicGroup.POOR_OR_MISSING, "HbA1c or GMI above 9.0%, or not measured"),
                    (GlycaemicGroup.POOR, "Above 9.0%"),
                    (GlycaemicGroup.MISSING, "Not measured in 12 months"),
                )
            ],
        ),
        "about_glycaemic": "Lower is better. Left out for their age:"
        f" {glycaemic.of_other_age}. Visits, claims, hospice and palliative care are not known"
        " here, so this is not the measure itself.",
        "definitions": DEFINITIONS,
    }
    return paper.paper("outcomes.typ", "Outcomes", _about(question), data, len(every))


def board_paper(session: Session, question: Question) -> Paper:
    """Return the cohort board on paper."""
    found = cohort.board(session, question.here, question.day)
    months, cohorts = list(reversed(found.months)), list(reversed(found.cohorts))
    plot = columns(
        [
            (f"{each.month.first_on:%b %y}", [each.count(way) for way in UNDER_CARE])
            for each in found.months
        ],
        [STANDINGS[way] for way in UNDER_CARE],
        label="Patients under care, by month",
    )
    data = {
        "columns": paper.of_columns(plot),
        "months": table(
            ("At the end of", "Under care", *STANDINGS.values(), "Not counted"),
            [_month(each) for each in months],
        ),
        "cohorts": table(
            ("Began in", "Patients", *COHORT_STANDINGS.values()),
            [_cohort(each) for each in cohorts],
        ),
        "definitions": BOARD_DEFINITIONS,
    }
    rows = len(months) + len(cohorts)
    return paper.paper("cohort.typ", "Cohort board", _about(question), data, rows)


def _about(question: Question) -> list[tuple[str, str]]:
    return [
        ("Clinic", question.clinic.name),
        ("As of the end of", paper.day(question.day)),
        question.made,
    ]


def _month_name(month: Month) -> str:
    return f"{month.first_on:%B %Y}"


def _month(each: BoardMonth) -> list[str]:
    shares = [
        Share(each.count(way), each.registered if way is Standing.LOST else each.under_care)
        for way in STANDINGS
    ]
    left_out = ", ".join(f"{count} {why.value}" for why, count in each.excluded.items() if count)
    return [_month_name(each.month), str(each.under_care), *map(share, shares), left_out or "–"]


def _cohort(each: BoardCohort) -> list[str]:
    shares = [
        Share(each.count(way), each.size if way is CohortStanding.OPEN else each.known)
        for way in COHORT_STANDINGS
    ]
    return [_month_name(each.month), str(each.size), *map(share, shares)]


def _unit(measure: OutcomeMeasure, question: Question) -> str:
    kind = KINDS[measure][0]
    unit = question.clinic.glucose_unit if kind in GLUCOSE else REGISTRY[kind].unit
    return UNITS.get(unit, unit)


def _changes(
    every: Mapping[tuple[OutcomeMeasure, Point], Outcome], question: Question
) -> dict[str, Any]:
    rows = []
    for (measure, point), outcome in every.items():
        if outcome.count(Group.WITH_BASELINE) or measure in (
            OutcomeMeasure.HBA1C,
            OutcomeMeasure.PHQ9,
        ):
            unit = _unit(measure, question)
            name = f"{NAMES[measure]}{f' ({unit})' if unit else ''}, {POINTS[point].lower()}"
            rows.append([name, *_means(outcome, question)])
    return table(("Measure", *MEANS), rows)


def _unmeasured(every: Mapping[tuple[OutcomeMeasure, Point], Outcome]) -> str:
    names = [
        NAMES[measure]
        for (measure, point), outcome in every.items()
        if point is Point.MONTH_6
        and measure not in (OutcomeMeasure.HBA1C, OutcomeMeasure.PHQ9)
        and not outcome.count(Group.WITH_BASELINE)
    ]
    return f"No eligible patient has a baseline value of: {'; '.join(names)}." if names else ""


def _means(outcome: Outcome, question: Question) -> list[str]:
    decimals = decimals_of(outcome.measure, question.clinic.glucose_unit)
    change, could = outcome.change, outcome.responders
    return [
        share(outcome.share(Group.MEASURED, Group.ELIGIBLE)),
        fixed(outcome.mean_before(Group.MEASURED), decimals),
        fixed(outcome.mean_after, decimals),
        signed(change.mean if change else None, decimals),
        between(change.interval, decimals) if change else "",
        fixed(change.sd if change else None, decimals),
        signed(change.median if change else None, decimals),
        "no rule" if could is None else share(could, with_interval=True),
    ]


def _groups(
    found: strata.Strata, everybody: Outcome, dimension: Dimension, question: Question
) -> dict[str, Any]:
    rows = [["Everybody", *_means(everybody, question)]]
    for key, outcome in found.outcomes.items():
        name = _group_name(dimension, key)
        if key in found.hidden:
            rows.append([name, HIDDEN, *[""] * (len(MEANS) - 1)])
            continue
        *means, responders = _means(outcome, question)
        tells = outcome.responders is None or found.tells(key, Group.MAY_RESPOND)
        rows.append([name, *means, responders if tells else HIDDEN])
    return table(("Group", *MEANS), rows)


def _group_name(dimension: Dimension, key: str) -> str:
    if not key:
        return "Not known"
    if dimension is Dimension.LANGUAGE:
        return str(Locale("en").languages.get(key.replace("-", "_"), key))
    if dimension is Dimension.PHQ9:
        return STRATA[Stratum(key)]
    return key.capitalize() if dimension is Dimension.SEX else key.replace("-", " to ")


def _measured(outcome: Outcome, question: Question) -> dict[str, Any]:
    decimals = decimals_of(outcome.measure, question.clinic.glucose_unit)
    rows = [
        (
            words,
            share(outcome.share(group, Group.ELIGIBLE)),
            fixed(outcome.mean_before(group), decimals),
        )
        for group, words in (
            (Group.MEASURED, "Measured twice"),
            (Group.MISSING, "Missing at follow-up"),
            (Group.WITHOUT_BASELINE, "Without a baseline"),
        )
    ]
    return table(("Patients", "Of eligible", "Mean at baseline"), rows)


def _levels(outcome: Outcome) -> dict[str, Any] | None:
    def cell(part: Group, whole: Group = Group.MEASURED) -> str:
        return share(outcome.share(part, whole), with_interval=True)

    head = ("Level", "At baseline", POINTS[outcome.point])
    if outcome.measure is OutcomeMeasure.HBA1C:
        low = ("Below 8%", cell(Group.LOW_BEFORE), cell(Group.LOW_AFTER))
        return table(head, [low, ("Above 9%", cell(Group.HIGH_BEFORE), cell(Group.HIGH_AFTER))])
    if outcome.measure is OutcomeMeasure.PHQ9:
        remitted = cell(Group.REMITTED, Group.MAY_RESPOND)
        return table(head, [("Below 5, of those who began at 10 or more", MISSING, remitted)])
    return None


def _course(outcome: Outcome, question: Question) -> dict[str, Any] | None:
    measure = outcome.measure
    eligible = [each.patient for each in outcome.followups]
    people = measured_throughout(eligible, measure, outcome.point)
    levels = (Limit(HBA1C_LOW, "below is well"), Limit(HBA1C_HIGH, "above is poor"))
    plot = courses(
        people,
        moments_of(people, POINTS),
        label=NAMES[measure],
        unit=_unit(measure, question),
        limits=levels if measure is OutcomeMeasure.HBA1C else (),
    )
    return paper.of_courses(plot)


def _doses(outcome: Outcome) -> Sequence[dict[str, Any]]:
    drawn = []
    across = ("completed calls until the follow-up", "minutes of conversation until the follow-up")
    for pairs, words in zip(doses_of(outcome), across, strict=True):
        plot = scatter(pairs, label=words, x_label=words, y_label="Change from baseline")
        if plot is not None:
            drawn.append(paper.of_scatter(plot, _correlated(pairs)))
    return drawn


def _correlated(pairs: Sequence[tuple[float, float]]) -> str:
    found = rank_correlation(pairs)
    if found is None:
        return "Too few or too equal values for a correlation."
    ends = between(found.interval, 2)
    return f"Spearman's rank correlation {signed(found.rho, 2)}, 95% CI {ends}."
