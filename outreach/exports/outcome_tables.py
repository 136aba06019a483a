"""Outcomes and the cohort board as files: what their tables and charts are drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.exports.asked_of import OF_A_PATIENT, NoSuchTable, Question, who
from outreach.exports.rules.cells import Column, Table, Value
from outreach.measures.rules import GLUCOSE, REGISTRY
from outreach.reports import cohort, outcomes, strata
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.board import (
    UNDER_CARE,
    BoardMonth,
    CohortStanding,
    Exclusion,
    Standing,
    figure_named,
)
from outreach.reports.rules.glycaemic import GlycaemicGroup
from outreach.reports.rules.outcomes import (
    FOLLOW_UPS,
    KINDS,
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    outcome_of,
)
from outreach.reports.rules.statistics import Share

_WINDOW_OPEN = Column("window_open", "Patients who are not counted, as their window is not over.")
_OF_AN_OUTCOME = (
    Column("measure", "What was measured."),
    Column("unit", "Unit of the values."),
    Column("point", "When."),
    Column("eligible", "Patients whose window is over."),
    Column("without_baseline", "Of them, not measured at baseline."),
    Column("missing", "Measured at baseline, not at follow-up."),
    Column("measured", "Measured twice: means and changes are theirs."),
    Column("mean_baseline", "Mean at baseline."),
    Column("mean_baseline_missing", "Mean at baseline of those missing at follow-up."),
    Column("mean_follow_up", "Mean at follow-up."),
    Column("mean_change", "Follow-up less baseline. There is no control group."),
    Column("sd_change", "Standard deviation of the change."),
    Column("ci_low", "95% confidence interval of the mean change (t)."),
    Column("ci_high", "95% confidence interval of the mean change (t)."),
    Column("median_change", "Median of the change."),
    Column("responded", "Fell by 0.5 points of HbA1c, or half of a PHQ-9 of 10 or more."),
    Column("could_respond", "Of so many; empty: no rule."),
    Column("below_8_before", "HbA1c below 8% at baseline, of those measured twice."),
    Column("below_8_after", "HbA1c below 8% at follow-up."),
    Column("above_9_before", "HbA1c above 9% at baseline."),
    Column("above_9_after", "HbA1c above 9% at follow-up."),
    Column("below_5_after", "PHQ-9 below 5 at follow-up, of those who could respond."),
)
_FROM_5 = (
    Column("from_5", "PHQ-9 of 5 or more at baseline, measured twice."),
    Column("from_5_mean_change", "Mean change of those."),
    Column("from_5_ci_low", "95% confidence interval of it (t)."),
    Column("from_5_ci_high", "95% confidence interval of it (t)."),
    Column("from_5_fell_by_half", "Of those, who fell by half or more."),
    Column("from_5_below_5_after", "Of those, who is below 5 at follow-up."),
)
_OF_A_MONTH = (
    Column("month", "Its first day; counted as it ended."),
    Column("registered", "Under care or lost."),
    Column("under_care", "Registered for three months, neither gone nor lost."),
    *(Column(each.value.replace(" ", "_"), each.value) for each in UNDER_CARE),
    Column("lost", "Neither spoken with nor measured in twelve months; of registered."),
    Column("too_new", "Not counted: began in the three months that end with this one."),
    Column("gone", "Not counted: died or left by its end."),
)
_ALWAYS_TOLD = frozenset({"measure", "unit", "point"})
_ABOUT_PART: Mapping[Group, frozenset[str]] = {
    Group.MISSING: frozenset({"mean_baseline_missing"}),
    Group.MAY_RESPOND: frozenset({"responded", "could_respond", "below_5_after"}),
}
_LEVELS = (Group.LOW_BEFORE, Group.LOW_AFTER, Group.HIGH_BEFORE, Group.HIGH_AFTER)


def changes(session: Session, question: Question) -> Table:
    """Return the change of every measure at every point."""
    found = cohort_of(session, question)
    every = [
        outcome_of(found.patients, measure, point, today=found.today)
        for measure in OutcomeMeasure
        for point in FOLLOW_UPS
    ]
    rows = [
        (*_of_outcome(each, question), *_from_5(each), each.count(Group.WINDOW_OPEN))
        for each in every
    ]
    columns = (*_OF_AN_OUTCOME, *_FROM_5, _WINDOW_OPEN)
    return question.table("Change from baseline", columns, rows)


def _from_5(outcome: Outcome) -> Sequence[Value]:
    """Return what is told of those who felt low; of other measures nothing."""
    if outcome.measure is not OutcomeMeasure.PHQ9:
        return (None,) * len(_FROM_5)
    change = outcome.change_in(Group.FROM_5)
    spread = change.interval if change else None
    return (
        outcome.count(Group.FROM_5),
        change.mean if change else None,
        spread.low if spread else None,
        spread.high if spread else None,
        outcome.count(Group.RESPONDED_FROM_5),
        outcome.count(Group.REMITTED_FROM_5),
    )


def groups(session: Session, question: Question) -> Table:
    """Return the change of one measure by kinds of people; small groups are empty."""
    dimension = question.choice(Dimension, "by", Dimension.PHQ9)
    found, what = cohort_of(session, question), what_of(question)
    clinics = staff.clinics_in(session, question.scope)
    by_kind = strata.of(session, question.here, question.day, found, what, dimension, clinics)
    rows: list[Sequence[Value]] = []
    for key, outcome in by_kind.outcomes.items():
        values, is_hidden = _of_outcome(outcome, question), key in by_kind.hidden
        kept = _ALWAYS_TOLD if is_hidden else _told(by_kind, key)
        shown = [
            value if column.name in kept else None
            for column, value in zip(_OF_AN_OUTCOME, values, strict=True)
        ]
        rows.append((by_kind.names.get(key, key), is_hidden, *shown))
    columns = (
        Column("group", f"By {dimension.value}. Empty: not known."),
        Column("hidden", "Whether it is hidden, as so few patients could be known by it."),
        *_OF_AN_OUTCOME,
    )
    table = question.table(f"Outcomes by {dimension.value}", columns, rows)
    from outreach.reports import definitions  # noqa: PLC0415 - Flask's words

    about = definitions.IN_PLACES if dimension.is_over_clinics else definitions.IN_GROUPS
    return replace(table, about=[*table.about, ("Groups", str(about))])


def _told(found: strata.Strata, key: str) -> frozenset[str]:
    """Return the columns of a shown group that are not about so few that they could be known."""
    hidden = (names for part, names in _ABOUT_PART.items() if not found.tells(key, part))
    return frozenset(each.name for each in _OF_AN_OUTCOME) - frozenset().union(*hidden)


def followed(session: Session, question: Question) -> Table:
    """Return patients' values and dose: what charts are drawn from, and who is behind a figure."""
    measure, point = what_of(question)
    outcome = _of_stratum(session, question)
    people = outcome.of(question.choice(Group, "group", Group.ELIGIBLE))
    names = who(session, question, [each.patient.patient_id for each in people])
    rows: list[Sequence[Value]] = []
    for each in people:
        if each.patient.patient_id not in names:
            continue
        taken = [each.patient.at(measure, at) for at in Point]
        values: list[Value] = []
        for value in taken:
            values += [value.on, value.value] if value else [None, None]
        dose = each.dose
        given = (dose.calls, dose.minutes) if dose else (None, None)
        rows.append((*names[each.patient.patient_id], *values, each.change, *given))
    columns = (
        *OF_A_PATIENT,
        *(
            Column(f"{at.value}{part}", f"{words}, nearest to the window's target.")
            for at in Point
            for part, words in (("_on", "Day of the value"), ("", f"{measure.value}"))
        ),
        Column("change", "Follow-up less baseline."),
        Column("completed_calls", "Until the follow-up was measured."),
        Column("minutes", "Of conversation until then."),
    )
    return question.table(f"{measure.value}, {point.value}, each patient", columns, rows)


def _of_stratum(session: Session, question: Question) -> Outcome:
    """Return the outcome of everybody, or of the group asked for where it is not hidden."""
    found, what, key = cohort_of(session, question), what_of(question), question.params.get("key")
    if key is None or question.params.get("by") is None:
        return outcome_of(found.patients, *what, today=found.today)
    dimension = question.choice(Dimension, "by")
    return strata.of(session, question.here, question.day, found, what, dimension).shown(key)


def glycaemic(session: Session, question: Question) -> Table:
    """Return the CMS122-style measure."""
    found = outcomes.glycaemic_status(session, question.here, question.day)
    rows = [(group.value, *_share(found.share(group))) for group in GlycaemicGroup]
    columns = (
        Column("group", "CMS122-style, programme panel."),
        Column("numerator", "Patients in the group."),
        Column("denominator", "Everybody enrolled, 18 to 75 years old."),
        Column("value", "The share; lower is better but for the panel."),
    )
    return question.table("Glycaemic status", columns, rows)


def glycaemic_behind(session: Session, question: Question) -> Table:
    """Return the patients of one group of the CMS122-style measure."""
    group = question.choice(GlycaemicGroup, "group")
    people = outcomes.glycaemic_status(session, question.here, question.day).of(group)
    names = who(session, question, [each.patient_id for each in people])
    rows: list[Sequence[Value]] = [
        (*names[each.patient_id], each.value, each.on)
        for each in people
        if each.patient_id in names
    ]
    columns = (
        *OF_A_PATIENT,
        Column("value", "Newest HbA1c or GMI of the 12 months, percent. Empty: none."),
        Column("taken_on", "Its day."),
    )
    return question.table(f"Glycaemic status: {group.value}", columns, rows)


def board_behind(session: Session, question: Question) -> Table:
    """Return the patients behind a figure of the board."""
    named = (question.params.get(each) for each in ("of", "month", "standing"))
    try:
        figure = figure_named(*named)
    except ValueError as error:
        raise NoSuchTable("There is no such table.") from error
    ids = cohort.board(session, question.here, question.day).who(figure)
    names = who(session, question, ids)
    rows = [names[each] for each in ids if each in names]
    title = figure.part.value if figure.part else "everybody ever enrolled"
    return question.table(f"Cohort board: {title}", OF_A_PATIENT, rows)


def months(session: Session, question: Question) -> Table:
    """Return who was under care, month by month."""
    found = cohort.board(session, question.here, question.day)
    return question.table("Cohort board", _OF_A_MONTH, [_month(each) for each in found.months])


def places(session: Session, question: Question) -> Table:
    """Return who was under care by clinic or region, month by month."""
    found = by_place(session, question)
    dimension = found.dimension
    rows = [(place.name, *_month(each)) for place, months in found.boards for each in months]
    columns = (Column("group", f"By {dimension.value}. Empty: in none."), *_OF_A_MONTH)
    return question.table(f"Cohort board by {dimension.value}", columns, rows)


def by_place(session: Session, question: Question) -> cohort.ByPlace:
    """Return the board by clinic or region; NoSuchTable where it is asked by something else."""
    dimension = question.choice(Dimension, "by")
    if not dimension.is_over_clinics:
        raise NoSuchTable("There is no such table.")
    clinics = staff.clinics_in(session, question.scope)
    return cohort.by_place(session, question.here, question.day, clinics, dimension)


def _month(each: BoardMonth) -> tuple[Value, ...]:
    return (
        each.month.first_on,
        each.registered,
        each.under_care,
        *(each.count(standing) for standing in (*UNDER_CARE, Standing.LOST)),
        *(each.count(why) for why in Exclusion),
    )


def cohorts(session: Session, question: Question) -> Table:
    """Return what became of everybody who began in a month."""
    found = cohort.board(session, question.here, question.day)
    rows: list[Sequence[Value]] = [
        (
            each.month.first_on,
            each.size,
            each.known,
            *(each.count(standing) for standing in CohortStanding),
        )
        for each in found.cohorts
    ]
    columns = (
        Column("began_in", "First day of the month."),
        Column("began", "Everybody who began, whatever became of them."),
        Column("window_over", "Of them, whose window is over: the denominator."),
        *(Column(each.value.replace(" ", "_"), each.value) for each in CohortStanding),
    )
    return question.table("Cohorts", columns, rows)


def what_of(question: Question) -> tuple[OutcomeMeasure, Point]:
    """Return the measure and the point that a page shows in detail."""
    measure = question.choice(OutcomeMeasure, "measure", OutcomeMeasure.HBA1C)
    point = question.choice(Point, "point", Point.MONTH_6)
    if point not in FOLLOW_UPS:
        raise NoSuchTable("There is no such table.")
    return measure, point


def cohort_of(session: Session, question: Question) -> outcomes.Cohort:
    """Return the patients whom outcomes are about."""
    unit = question.clinic.glucose_unit
    return outcomes.cohort(session, question.here, question.day, glucose_unit=unit)


def _of_outcome(outcome: Outcome, question: Question) -> tuple[Value, ...]:
    kind = KINDS[outcome.measure][0]
    unit = question.clinic.glucose_unit if kind in GLUCOSE else REGISTRY[kind].unit
    change, could = outcome.change, outcome.responders
    spread = change.interval if change else None
    is_hba1c = outcome.measure is OutcomeMeasure.HBA1C
    is_phq9 = outcome.measure is OutcomeMeasure.PHQ9
    return (
        outcome.measure.value,
        unit,
        outcome.point.value,
        outcome.count(Group.ELIGIBLE),
        outcome.count(Group.WITHOUT_BASELINE),
        outcome.count(Group.MISSING),
        outcome.count(Group.MEASURED),
        outcome.mean_before(Group.MEASURED),
        outcome.mean_before(Group.MISSING),
        outcome.mean_after,
        change.mean if change else None,
        change.sd if change else None,
        spread.low if spread else None,
        spread.high if spread else None,
        change.median if change else None,
        could.part if could else None,
        could.whole if could else None,
        *(outcome.count(level) if is_hba1c else None for level in _LEVELS),
        outcome.count(Group.REMITTED) if is_phq9 else None,
    )


def _share(share: Share) -> tuple[Value, ...]:
    return share.part, share.whole, share.value
