"""The words of outcomes and the cohort board on paper: files are in English."""

from collections.abc import Mapping

from outreach.reports.breakdown import Dimension
from outreach.reports.rules.board import CohortStanding, Standing
from outreach.reports.rules.outcomes import OutcomeMeasure, Point, Stratum

NAMES: Mapping[OutcomeMeasure, str] = {
    OutcomeMeasure.HBA1C: "HbA1c",
    OutcomeMeasure.PHQ9: "PHQ-9",
    OutcomeMeasure.GAD7: "GAD-7",
    OutcomeMeasure.GLUCOSE: "Blood sugar",
    OutcomeMeasure.GLUCOSE_FASTING: "Blood sugar, fasting",
    OutcomeMeasure.SYSTOLIC: "Blood pressure, upper",
    OutcomeMeasure.DIASTOLIC: "Blood pressure, lower",
    OutcomeMeasure.WEIGHT: "Weight",
}
POINTS = {Point.BASELINE: "Baseline", Point.MONTH_3: "Month 3", Point.MONTH_6: "Month 6"}
UNITS = {"mm[Hg]": "mmHg", "{score}": ""}
DIMENSIONS = {
    Dimension.LANGUAGE: "language",
    Dimension.SEX: "sex",
    Dimension.AGE: "age",
    Dimension.PHQ9: "PHQ-9 at baseline",
}
STRATA = {
    Stratum.FROM_10: "PHQ-9 of 10 or more",
    Stratum.FROM_5: "PHQ-9 of 5 to 9",
    Stratum.BELOW_5: "PHQ-9 of 0 to 4",
    Stratum.UNKNOWN: "No PHQ-9 at baseline",
}
STANDINGS = {
    Standing.CONTROLLED: "Controlled: HbA1c below 8%",
    Standing.UNCONTROLLED: "Not controlled: 8% or above",
    Standing.UNREAD: "No HbA1c in 3 months",
    Standing.LOST: "Lost at 12 months",
}
COHORT_STANDINGS = {
    CohortStanding.CONTROLLED: "Controlled: HbA1c below 8%",
    CohortStanding.UNCONTROLLED: "Not controlled: 8% or above",
    CohortStanding.UNREAD: "No HbA1c in the window",
    CohortStanding.OPEN: "Window still open",
}
HIDDEN = "hidden: few patients"
MEANS = (
    "Measured twice, of eligible",
    "Mean at baseline",
    "Mean at follow-up",
    "Mean change",
    "95% CI",
    "SD",
    "Median change",
    "Responders",
)
# In the words of the page (templates/reports/outcomes.html). Source: domain.md E4.
CAUTION = (
    "There is no control group here, so a change is not the effect of the calls. People chosen"
    " for high values tend to be lower when measured again, whatever is done. In the published"
    " trial the control group changed by 0.0."
)
DEFINITIONS = (
    (
        "Eligible",
        (
            "Everybody ever enrolled, whatever became of them, counted once by their first"
            " enrolment, whose window is over: day 120 for month 3, day 210 for month 6."
        ),
    ),
    (
        "Baseline, month 3, month 6",
        (
            "The value nearest to the first day (from 90 days before to 14 days after it), to"
            " day 91 (day 60 to 120) and to day 182 (day 150 to 210). Of two as near, the"
            " later one. HI, LO and values marked as unreliable don't count."
        ),
    ),
    (
        "Change",
        (
            "Follow-up less baseline, of those who have both. The interval of the mean is by"
            " Student's t, that of a share is Wilson's."
        ),
    ),
    (
        "Responders",
        (
            "HbA1c: a fall of at least 0.5 points, of those measured twice. PHQ-9: a fall by"
            " half or more, of those who began at 10 or more and were measured twice."
        ),
    ),
    (
        "As of",
        (
            "What had been recorded by the end of that day, as it stood then. What was"
            " entered or corrected later does not count, so the same day gives the same"
            " numbers next year."
        ),
    ),
)
BOARD_DEFINITIONS = (
    (
        "Under care",
        (
            "Everybody whose first day lies before the last three calendar months, whether or"
            " not the programme is over for them, without those who died, who left, or who are"
            " lost."
        ),
    ),
    (
        "Not counted",
        (
            "Who had begun by the end of the month and is in none of its figures: new, that is in"
            " the first three calendar months; or gone, that is who died or left."
        ),
    ),
    (
        "Controlled, not controlled, no HbA1c",
        (
            "By the newest HbA1c of the three calendar months that end with this one: below"
            " 8%, 8% or above, or none. Of patients under care."
        ),
    ),
    (
        "Lost at 12 months",
        (
            "Neither spoken with nor measured in twelve calendar months. Of patients under"
            " care and lost ones together."
        ),
    ),
    (
        "Cohorts",
        (
            "Everybody who began in the month, whatever became of them, by the HbA1c nearest"
            " to day 182 (day 150 to 210). Of those whose window is over; 'window still open'"
            " is of all who began."
        ),
    ),
    (
        "Where this comes from",
        (
            "The WHO HEARTS dashboards, which ask the same of blood pressure. What was"
            " recorded or corrected after the day above does not count."
        ),
    ),
)
