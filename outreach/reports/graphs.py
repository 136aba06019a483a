"""Outcomes as charts: everybody's course with the mean, and the dose against the change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from outreach.pulse.rules import Group as PulseGroup
from outreach.reports.adherence import WeekLimits, WeekRate
from outreach.reports.curves import doses_of, moments_of
from outreach.reports.labels import (
    FIGURE_WORDS,
    POINT_WORDS,
    STANDING_WORDS,
    month_name,
    outcome_name,
    outcome_unit,
)
from outreach.reports.rules.board import UNDER_CARE, BoardMonth
from outreach.reports.rules.control import RunTest, run_test
from outreach.reports.rules.outcomes import (
    HBA1C_HIGH,
    HBA1C_LOW,
    Followed,
    Outcome,
    OutcomeMeasure,
    Point,
    measured_throughout,
)
from outreach.reports.rules.statistics import Correlation, rank_correlation
from outreach.reports.rules.tally import Measure, Spread, spread
from outreach.web.charts import Chart, Limit, RatePoint, run_chart
from outreach.web.plots import Columns, Courses, Scatter, columns, courses, scatter
from outreach.web.template_filters import full_day


@dataclass(frozen=True)
class WeekChart:
    """A rate week by week, and what the rules for special causes say of it."""

    measure: Measure
    chart: Chart | None
    runs: RunTest | None
    outside: Sequence[date]

    @property
    def has_signs(self) -> bool:
        """Whether a rule says that this is more than chance."""
        return bool(self.runs and (self.runs.is_signal or self.outside))

    @property
    def signs(self) -> list[str]:
        """What the rules say, in sentences."""
        runs = self.runs
        if runs is None:
            return [_("A sign of change can be looked for from 10 weeks on.")]
        if not self.has_signs:
            return [
                _(
                    "No sign of a change: at most %(n)s weeks in a row on one side of the median"
                    " (up to %(most)s by chance), crossed %(crossings)s times (at least %(least)s"
                    " by chance), and no week outside the control limits.",
                    n=runs.longest_run,
                    most=runs.longest_allowed,
                    crossings=runs.crossings,
                    least=runs.fewest_allowed,
                )
            ]
        said = [_("Something changed, or differs from week to week by more than chance:")]
        if runs.is_shift:
            said.append(
                _(
                    "%(n)s weeks in a row on one side of the median, at most %(most)s by chance.",
                    n=runs.longest_run,
                    most=runs.longest_allowed,
                )
            )
        if runs.has_few_crossings:
            said.append(_few_crossings(runs))
        if self.outside:
            weeks = "; ".join(full_day(on) for on in self.outside)
            said.append(_("Outside the control limits: %(weeks)s.", weeks=weeks))
        return said


@dataclass(frozen=True)
class MonthChart:
    """A rate month by month, and what the rules for special causes say of it."""

    chart: Chart | None
    runs: RunTest | None

    @property
    def has_signs(self) -> bool:
        """Whether a rule says that this is more than chance."""
        return bool(self.runs and self.runs.is_signal)

    @property
    def signs(self) -> list[str]:
        """What the rules say, in sentences."""
        runs = self.runs
        if runs is None:
            return [
                _(
                    "A sign of change can be looked for from 10 months on that are shown and do"
                    " not lie on the median."
                )
            ]
        if not self.has_signs:
            return [
                _(
                    "No sign of a change: at most %(n)s months in a row on one side of the median"
                    " (up to %(most)s by chance), crossed %(crossings)s times (at least %(least)s"
                    " by chance).",
                    n=runs.longest_run,
                    most=runs.longest_allowed,
                    crossings=runs.crossings,
                    least=runs.fewest_allowed,
                )
            ]
        said = [_("Something changed, by more than chance:")]
        if runs.is_shift:
            said.append(
                _(
                    "%(n)s months in a row on one side of the median, at most %(most)s by chance.",
                    n=runs.longest_run,
                    most=runs.longest_allowed,
                )
            )
        if runs.has_few_crossings:
            said.append(_few_crossings(runs))
        return said


@dataclass(frozen=True)
class DosePlot:
    """A dose against a change, how much was given, and how the two go together."""

    plot: Scatter
    given: Spread
    correlation: Correlation | None


def _few_crossings(runs: RunTest) -> str:
    return _(
        "The median is crossed %(n)s times, at least %(least)s by chance.",
        n=runs.crossings,
        least=runs.fewest_allowed,
    )


def of_weeks(weeks: Sequence[WeekRate], measure: Measure) -> WeekChart:
    """Return a weekly rate as a run chart with the limits of a p-chart."""
    found = WeekLimits.of(weeks)
    bounds = {on: (100 * limit.low, 100 * limit.high) for on, limit in found.by_week.items()}
    return WeekChart(
        measure,
        run_chart(
            [RatePoint(each.week_on, each.part, each.whole) for each in weeks],
            label=_("%(rate)s, by week", rate=FIGURE_WORDS[measure]),
            median_label=_("Median"),
            bounds=bounds,
        ),
        run_test(found.shares),
        [
            each.week_on
            for each, value in zip(found.known, found.shares, strict=True)
            if each.week_on in found.by_week and not found.by_week[each.week_on].holds(value)
        ],
    )


def of_months(groups: Sequence[PulseGroup]) -> MonthChart:
    """Return how many callers are burning out, month by month, as a run chart.

    A month that may not be told of is missing, and so is one of which only "all or all but one"
    may be told.
    """
    oldest_first = sorted(groups, key=lambda each: each.month)
    points = [
        RatePoint(each.month, each.burnt_out or 0, each.answered or 0)
        if each.burnt_out is not None
        else RatePoint(each.month, 0, 0)
        for each in oldest_first
    ]
    chart = run_chart(
        points, label=_("Burning out, by month"), median_label=_("Median"), is_monthly=True
    )
    return MonthChart(chart, run_test([each.part / each.whole for each in points if each.whole]))


def of_courses(
    patients: Sequence[Followed], measure: OutcomeMeasure, point: Point, glucose_unit: str
) -> Courses | None:
    """Return the courses of those who were measured at every point up to ``point``.

    ``patients``: those whose window of ``point`` is over.
    """
    people = measured_throughout(patients, measure, point)
    words = {each: str(words) for each, words in POINT_WORDS.items()}
    return courses(
        people,
        moments_of(people, words),
        label=_("%(measure)s of each patient, and the mean", measure=outcome_name(measure)),
        unit=outcome_unit(measure, glucose_unit),
        limits=_levels(measure),
    )


def of_dose(outcome: Outcome) -> list[DosePlot]:
    """Return completed calls, and minutes, against the change of everybody measured twice."""
    calls, minutes = doses_of(outcome)
    plots = []
    for pairs, label, across in (
        (calls, _("Completed calls and change"), _("Completed calls until the follow-up")),
        (minutes, _("Minutes and change"), _("Minutes of conversation until the follow-up")),
    ):
        plot = scatter(pairs, label=label, x_label=across, y_label=_("Change from baseline"))
        given = spread([dose for dose, _change in pairs])
        if plot is not None and given is not None:
            plots.append(DosePlot(plot, given, rank_correlation(pairs)))
    return plots


def of_board(months: Sequence[BoardMonth]) -> Columns | None:
    """Return who is under care as columns of shares, month by month."""
    return columns(
        [
            (month_name(each.month, is_short=True), [each.count(way) for way in UNDER_CARE])
            for each in months
        ],
        [str(STANDING_WORDS[way]) for way in UNDER_CARE],
        label=_("Patients under care, by month"),
    )


def _levels(measure: OutcomeMeasure) -> list[Limit]:
    if measure is not OutcomeMeasure.HBA1C:
        return []
    return [Limit(HBA1C_LOW, _("below is well")), Limit(HBA1C_HIGH, _("above is poor"))]
