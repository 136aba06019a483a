"""Outcomes and the cohort board on paper: what their pages show, in the words of files."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.exports import paper
from outreach.exports.asked_of import Question
from outreach.exports.outcome_tables import by_place, cohort_of, what_of
from outreach.exports.paper import MISSING, Paper, between, fixed, share, signed, table
from outreach.reports import cohort, definitions, outcomes, strata
from outreach.reports.breakdown import Dimension
from outreach.reports.curves import doses_of, moments_of
from outreach.reports.labels import (
    BEGAN_AT,
    COHORT_WORDS,
    DIMENSION_WORDS,
    EXCLUSION_WORDS,
    GLYCAEMIC_WORDS,
    POINT_WORDS,
    STANDING_WORDS,
    group_name,
    outcome_name,
    outcome_unit,
)
from outreach.reports.rules.board import (
    UNDER_CARE,
    BoardCohort,
    BoardMonth,
    CohortStanding,
    Exclusion,
    Month,
    Standing,
)
from outreach.reports.rules.glycaemic import GlycaemicGroup
from outreach.reports.rules.outcomes import (
    FOLLOW_UPS,
    HBA1C_HIGH,
    HBA1C_LOW,
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    measured_throughout,
    outcome_of,
)
from outreach.reports.rules.statistics import Share, rank_correlation
from outreach.reports.rules.tally import spread
from outreach.web.charts import Limit
from outreach.web.plots import columns, courses, scatter

MEANS = (
    "Measured twice, of eligible",
    "Not counted: window open",
    "Mean at baseline",
    "Mean at follow-up",
    "Mean change",
    "95% CI",
    "SD",
    "Median change",
    "Responders",
)


def outcomes_paper(session: Session, question: Question) -> Paper:
    """Return the outcomes page on paper, with the measure, point and groups that it shows."""
    dimension = question.choice(Dimension, "by", Dimension.PHQ9)
    found, (measure, point) = cohort_of(session, question), what_of(question)
    clinics, what = staff.clinics_in(session, question.scope), (measure, point)
    by_kind = strata.of(session, question.here, question.day, found, what, dimension, clinics)
    every = {
        (each, at): outcome_of(found.patients, each, at, today=found.today)
        for each in OutcomeMeasure
        for at in FOLLOW_UPS
    }
    chosen = every[measure, point]
    glycaemic = outcomes.glycaemic_status(session, question.here, question.day)
    data = {
        "caution": str(definitions.CAUTION),
        "changes": _changes(every, question),
        "unmeasured": _unmeasured(every),
        "chosen": f"{outcome_name(measure)}, {str(POINT_WORDS[point]).lower()}",
        "course": _course(chosen, question),
        "measured": _measured(chosen, question),
        "levels": _levels(chosen),
        "low": _low(chosen),
        "by": _by(dimension),
        "about_groups": _about_groups(dimension),
        "groups": _groups(by_kind, chosen, dimension, question),
        "doses": _doses(chosen),
        "about_doses": str(definitions.DOSE),
        "glycaemic": table(
            ("Newest HbA1c or GMI", "Of everybody enrolled, 18 to 75 years old"),
            [
                (str(GLYCAEMIC_WORDS[group]), share(glycaemic.share(group), with_interval=True))
                for group in GlycaemicGroup
                if group is not GlycaemicGroup.PANEL
            ],
        ),
        "about_glycaemic": "Lower is better. Counted are patients enrolled on that day, paused and"
        " unreachable ones too, 18 to 75 years old; left out for their age:"
        f" {glycaemic.of_other_age}. Visits, claims, hospice and palliative care are not known"
        " here, so this is not the measure itself.",
        "definitions": paper.defined(definitions.OUTCOMES),
    }
    return paper.paper(
        "outcomes.typ",
        "Outcomes",
        _about(question, len(found.patients)),
        data,
        len(every),
        size=question.paper,
    )


def board_paper(session: Session, question: Question) -> Paper:
    """Return the cohort board on paper."""
    found = cohort.board(session, question.here, question.day)
    months, cohorts = list(reversed(found.months)), list(reversed(found.cohorts))
    plot = columns(
        [
            (f"{each.month.first_on:%b %y}", [each.count(way) for way in UNDER_CARE])
            for each in found.months
        ],
        [str(STANDING_WORDS[way]) for way in UNDER_CARE],
        label="Patients under care, by month",
    )
    places = _places(session, question)
    data = {
        "columns": paper.of_columns(plot),
        "places": places,
        "months": table(
            ("At the end of", "Under care", *map(str, STANDING_WORDS.values()), "Not counted"),
            [_month(each) for each in months],
        ),
        "cohorts": table(
            ("Began in", "Patients", *map(str, COHORT_WORDS.values())),
            [_cohort(each) for each in cohorts],
        ),
        "definitions": paper.defined(definitions.BOARD),
    }
    rows = len(months) + len(cohorts) + len(places["rows"] if places else ())
    return paper.paper(
        "cohort.typ",
        "Cohort board",
        _about(question, len(found.everybody)),
        data,
        rows,
        size=question.paper,
    )


def _places(session: Session, question: Question) -> dict[str, Any] | None:
    """Return clinics or regions side by side, where the page shows them."""
    if "by" not in question.params:
        return None
    found = by_place(session, question)
    dimension = found.dimension
    if found.newest is None:
        return None
    names = {
        place.key: group_name(dimension, place.key, place.name) for place, _months in found.boards
    }
    rows = [[names[place.key], *_month(each)[1:]] for place, each in found.at(found.newest) if each]
    head = ("Under care", *map(str, STANDING_WORDS.values()), "Not counted")
    about = f"At the end of {_month_name(found.newest)}. {definitions.IN_PLACES}"
    return table((str(DIMENSION_WORDS[dimension]), *head), rows) | {"about": about}


def _about(question: Question, enrolled: int) -> list[tuple[str, str]]:
    return [
        ("Clinic", question.clinic.name),
        ("As of the end of", paper.day(question.day)),
        ("Patients", f"{enrolled:,} ever enrolled"),
        question.made,
    ]


def _month_name(month: Month) -> str:
    return f"{month.first_on:%B %Y}"


def _month(each: BoardMonth) -> list[str]:
    shares = [
        Share(each.count(way), each.registered if way is Standing.LOST else each.under_care)
        for way in STANDING_WORDS
    ]
    left_out = ", ".join(
        str(EXCLUSION_WORDS[why]) % {"n": each.count(why)} for why in Exclusion if each.count(why)
    )
    return [_month_name(each.month), str(each.under_care), *map(share, shares), left_out or "–"]


def _cohort(each: BoardCohort) -> list[str]:
    shares = [
        Share(each.count(way), each.size if way is CohortStanding.OPEN else each.known)
        for way in COHORT_WORDS
    ]
    size = f"{each.size:,}"
    if 0 < each.known < each.size:
        size += f" ({each.known:,} window over)"
    return [_month_name(each.month), size, *map(share, shares)]


def _changes(
    every: Mapping[tuple[OutcomeMeasure, Point], Outcome], question: Question
) -> dict[str, Any]:
    rows = []
    for (measure, point), outcome in every.items():
        if outcome.count(Group.WITH_BASELINE) or measure in (
            OutcomeMeasure.HBA1C,
            OutcomeMeasure.PHQ9,
        ):
            unit = outcome_unit(measure, question.clinic.glucose_unit)
            name = f"{outcome_name(measure)} ({unit})" if unit else outcome_name(measure)
            name = f"{name}, {str(POINT_WORDS[point]).lower()}"
            rows.append([name, *_means(outcome, question, outcome.count(Group.WINDOW_OPEN))])
    return table(("Measure", *MEANS), rows)


def _unmeasured(every: Mapping[tuple[OutcomeMeasure, Point], Outcome]) -> str:
    names = [
        outcome_name(measure)
        for (measure, point), outcome in every.items()
        if point is Point.MONTH_6
        and measure not in (OutcomeMeasure.HBA1C, OutcomeMeasure.PHQ9)
        and not outcome.count(Group.WITH_BASELINE)
    ]
    return f"No eligible patient has a baseline value of: {'; '.join(names)}." if names else ""


def _means(outcome: Outcome, question: Question, waiting: int | None = None) -> list[str]:
    """Return the cells of a row as MEANS names them; of groups it is not said who waits."""
    decimals = outcome.decimals(question.clinic.glucose_unit)
    change, could = outcome.change, outcome.responders
    return [
        share(outcome.share(Group.MEASURED, Group.ELIGIBLE)),
        "" if waiting is None else f"{waiting:,}",
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
    is_of_here = not dimension.is_over_clinics
    rows = (
        [["Everybody", *_means(everybody, question, everybody.count(Group.WINDOW_OPEN))]]
        if is_of_here
        else []
    )
    for key, outcome in found.outcomes.items():
        name = group_name(dimension, key, found.names.get(key, ""))
        if key in found.hidden:
            rows.append([name, str(definitions.HIDDEN), *[""] * (len(MEANS) - 1)])
            continue
        *means, responders = _means(outcome, question)
        tells = outcome.responders is None or found.tells(key, Group.MAY_RESPOND)
        rows.append([name, *means, responders if tells else str(definitions.HIDDEN)])
    return table(("Group", *MEANS), rows)


def _about_groups(dimension: Dimension) -> str:
    return str(definitions.IN_PLACES if dimension.is_over_clinics else definitions.IN_GROUPS)


def _by(dimension: Dimension) -> str:
    words = str(DIMENSION_WORDS[dimension])
    return words if dimension is Dimension.PHQ9 else words.lower()


def _measured(outcome: Outcome, question: Question) -> dict[str, Any]:
    decimals = outcome.decimals(question.clinic.glucose_unit)
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
    waiting = outcome.count(Group.WINDOW_OPEN)
    rows.append(
        (
            "Not counted: window still open",
            f"{waiting:,}",
            fixed(outcome.mean_before(Group.WINDOW_OPEN), decimals),
        )
    )
    return table(("Patients", "Of eligible", "Mean at baseline"), rows)


def _levels(outcome: Outcome) -> dict[str, Any] | None:
    def cell(part: Group, whole: Group = Group.MEASURED) -> str:
        return share(outcome.share(part, whole), with_interval=True)

    head = ("Level", "At baseline", str(POINT_WORDS[outcome.point]))
    if outcome.measure is OutcomeMeasure.HBA1C:
        low = ("Below 8%", cell(Group.LOW_BEFORE), cell(Group.LOW_AFTER))
        return table(head, [low, ("Above 9%", cell(Group.HIGH_BEFORE), cell(Group.HIGH_AFTER))])
    return None


def _low(outcome: Outcome) -> dict[str, Any] | None:
    """Return those who felt low at baseline, where the measure is the PHQ-9."""
    if outcome.measure is not OutcomeMeasure.PHQ9:
        return None
    rows = []
    for words, (whole, responded, remitted) in BEGAN_AT:
        change = outcome.change_in(whole)
        shares = [
            share(outcome.share(part, whole), with_interval=True) for part in (responded, remitted)
        ]
        means = (signed(change.mean, 2), between(change.interval, 2)) if change else (MISSING, "")
        rows.append((str(words), str(outcome.count(whole)), *means, *shares))
    head = (
        "Baseline",
        "Measured twice",
        "Mean change",
        "95% CI",
        "Fell by half or more",
        "Below 5 at follow-up",
    )
    return table(head, rows)


def _course(outcome: Outcome, question: Question) -> dict[str, Any] | None:
    measure = outcome.measure
    people = measured_throughout(outcome.eligible, measure, outcome.point)
    levels = (Limit(HBA1C_LOW, "below is well"), Limit(HBA1C_HIGH, "above is poor"))
    plot = courses(
        people,
        moments_of(people, {at: str(words) for at, words in POINT_WORDS.items()}),
        label=outcome_name(measure),
        unit=outcome_unit(measure, question.clinic.glucose_unit),
        limits=levels if measure is OutcomeMeasure.HBA1C else (),
    )
    return paper.of_courses(plot)


def _doses(outcome: Outcome) -> Sequence[dict[str, Any]]:
    drawn = []
    named = (
        ("Completed calls and change", "completed calls until the follow-up"),
        ("Minutes and change", "minutes of conversation until the follow-up"),
    )
    for pairs, (title, across) in zip(doses_of(outcome), named, strict=True):
        plot = scatter(pairs, label=title, x_label=across, y_label="Change from baseline")
        if plot is not None:
            drawn.append(paper.of_scatter(plot, _correlated(pairs)) | {"title": title})
    return drawn


def _correlated(pairs: Sequence[tuple[float, float]]) -> str:
    given, found = spread([dose for dose, _change in pairs]), rank_correlation(pairs)
    told = ""
    if given is not None:
        low, middle, high = (f"{each:,.4g}" for each in (given.low, given.median, given.high))
        told = f"Median {middle}, middle half {low}–{high}. "
    if found is None:
        return f"{told}Too few or too equal values for a correlation."
    ends = between(found.interval, 2)
    return f"{told}Spearman's rank correlation {signed(found.rho, 2)}, 95% CI {ends}."
