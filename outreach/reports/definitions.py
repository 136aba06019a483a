"""What the numbers of each report mean: pages and paper say the same."""

from typing import NamedTuple

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString


class Definition(NamedTuple):
    """A term and what it means; links of the page lead to ``anchor``, where it has one."""

    term: LazyString
    words: LazyString
    anchor: str = ""


CAUTION = _l(
    "There is no control group here, so a change is not the effect of the calls. People chosen "
    "for high values tend to be lower when measured again, whatever is done. In the published "
    "trial the control group changed by 0.0."
)
HIDDEN = _l("hidden: few patients")
IN_GROUPS = _l(
    "Groups of fewer than 11 patients, eligible or measured, are hidden, and another with them "
    "where the total would tell. Means of groups are rounded, so that two days that lie close "
    "together don't tell the value of who came in between."
)
IN_PLACES = _l(
    "Each clinic by its own calendar, as its own report tells it; a region is everybody of those "
    "of its clinics that you see. By clinic, each number leads to its list."
)
IN_CALL_GROUPS = _l(
    "Groups of fewer than 11 patients are hidden, and figures behind which there are fewer; "
    "another with them where the total would tell."
)
CALLERS_COMPARED = _l(
    "Callers are compared by what they do, never by how their patients' values change: with "
    "some fifteen patients each, chance decides."
)
FOR_A_TALK = _l(
    "These numbers are for a talk about how it goes: some panels are harder than others."
)
DOSE = _l(
    "Those who are worse may be called more, and those who are called more may be better at "
    "coming to be measured. Which leads to which can't be read from this."
)
# How figures about calls are given to days and people. Source of what follows: domain.md E3.
COUNTED = _l(
    "Planned calls count for the patient's own caller on the day they were due, dials for the "
    "person who dialled, weeks and minutes for the caller at the end of the week. Days are "
    "counted at the clinic, weeks of the programme in the patient's own time zone."
)
TODAY = (
    Definition(
        _l("Done of due"),
        _l(
            "Calls open and due by today, or completed or missed today, by who is on duty for "
            "the patient now; done are the completed ones."
        ),
    ),
    Definition(
        _l("Patients"),
        _l("Nobody is named here. The page says who they are, and leads to each."),
    ),
)
ADHERENCE = (
    Definition(
        _l("As of the end of a day"),
        _l(
            "What was known as that day ended: calls recorded, corrected or taken back later "
            "don't count, nor do later changes of caller, rhythm or standing. The answer is the "
            "same today and next year. Language, sex, date of birth, time zone and first day are "
            "those that were on the record then. Without a day, what is known now."
        ),
        "def-as-of",
    ),
    Definition(
        _l("Calls completed"),
        _l(
            "Completed calls of all calls due in the period, that is completed and missed ones. "
            "A call is missed when its last day passes without a completed conversation. Calls "
            "still open and calls cancelled are not counted; their numbers stand beside."
        ),
        "def-completion",
    ),
    Definition(
        _l("Not counted"),
        _l(
            "Open: calls due in the period that can still be completed. They are in no rate "
            "until they are completed or missed. Cancelled: calls of the period up to today that "
            "the programme cancelled, for a pause, because the patient left, or because changed "
            "wishes left no time for them. Nobody missed them. Beside both in their lists: all "
            "calls planned for the period up to today. Not judged yet: weeks of two that are "
            "judged together, where the second is not over. With time left: patients without a "
            "completed call whose 2 business days are not over."
        ),
        "def-open",
    ),
    Definition(
        _l("Reached per dial"),
        _l(
            "Dials in which the caller spoke with the patient, of all dials in the period. "
            "Somebody else at the telephone is not a reach."
        ),
        "def-dial",
    ),
    Definition(
        _l("Patients reached"),
        _l(
            "Patients spoken with at least once, of all in the programme on some day of the "
            "period. Unreachable patients stay in; each counts for their last caller of the "
            "period."
        ),
        "def-patient",
    ),
    Definition(
        _l("Weeks as planned"),
        _l(
            "Protocol adherence: patient-weeks with at least as many completed calls as the "
            "programme asks for, of all patient-weeks that ended in the period. Week 1 asks for "
            "3 calls, weeks 2 to 4 for what the patient had chosen when the week began (2 "
            "before they choose), later weeks for one call every 7 or 14 days. For 14 days, two "
            "weeks are judged together, once both are over. Conversations count on the day they "
            "took place. Weeks before the start, after the end or during a pause that still "
            "lasts are left out."
        ),
        "def-protocol",
    ),
    Definition(
        _l("Weeks as chosen"),
        _l(
            "Within the chosen dose: of the weeks above, those of a phase in which patients "
            "choose how often they are called; kept are those with at least as many completed "
            "calls as the patient had chosen. Before they choose, the phase's usual number "
            "holds."
        ),
        "def-chosen",
    ),
    Definition(
        _l("Dials per reach"),
        _l("All dials divided by those that reached the patient. Lower is better."),
        "def-dials-per-reach",
    ),
    Definition(
        _l("Calls a week"),
        _l(
            "Completed calls in each patient-week that ended in the period, weeks without any "
            "included. Shown as the median, with the middle half of all weeks in brackets, and "
            "the sum behind it."
        ),
        "def-calls",
    ),
    Definition(
        _l("Minutes a week"),
        _l(
            "Minutes of conversation in each patient-week that ended in the period, weeks "
            "without any included. Shown as the median, with the middle half of all weeks in "
            "brackets, and the sum behind it."
        ),
        "def-minutes",
    ),
    Definition(
        _l("First call in time"),
        _l(
            "Patients enrolled in the period whose first completed call came within 2 business "
            "days (Monday to Friday, where the patient lives) of enrolment, or of the "
            "programme's first day where that is later. Those without a completed call count "
            "once the 2 days are over. The median counts days from the same moment, patients "
            "still without one as the longest."
        ),
        "def-first",
    ),
    Definition(
        _l("Same caller"),
        _l(
            "Continuity: calls completed by the patient's own caller, of all completed calls "
            "due in the period."
        ),
        "def-continuity",
    ),
    Definition(
        _l("Patients of a caller"),
        _l(
            "Panel size: patients in the programme on some day of the period whose last caller "
            "of the period this was. The published programme had 10 to 20 each."
        ),
        "def-panel",
    ),
    Definition(
        _l("Dials and conversations a day"),
        _l(
            "Dials of the period, and those that reached the patient, divided by the days of "
            "the period on which this person dialled. Days without a dial are left out."
        ),
        "def-day",
    ),
    Definition(
        _l("Days in a row, at most"),
        _l(
            "The longest stretch of days of the period on each of which they dialled for this "
            "clinic, weekends included; what they do at other clinics is not in it. A long one "
            "is a reason to ask how somebody is, never to rank anybody."
        ),
        "def-run",
    ),
    Definition(
        _l("Concerns raised"),
        _l(
            "Worries about patients of this clinic that this person passed to the nurse in the "
            "period. Calls like these are heavy: ask how they were."
        ),
        "def-raised",
    ),
    Definition(
        _l("Signs of a change, by week or month"),
        _l(
            "Run chart: more weeks (or months) in a row on one side of the median than log2(n) "
            "+ 3, or fewer crossings of it than 1 in 20 series of coin tosses has (Anhøj and "
            "Olesen 2014); those on the median don't count. Control limits, by week: three "
            "standard errors around the rate of all weeks together (p-chart); they are wider "
            "where fewer calls are behind a week. A sign says that something differs, not what."
        ),
        "def-weeks",
    ),
    Definition(
        _l("Reached by dial 1, 2, 3"),
        _l(
            "Calls in which the patient was spoken with by that dial or an earlier one, of all "
            "calls due in the period that were dialled and are completed or missed."
        ),
        "def-by-dial",
    ),
)
AROUND = (
    Definition(
        _l("As of the end of a day"),
        _l(
            "What had been recorded by then, as it stood then: who had left, which texts the "
            "carrier had reported, which concerns were taken on, which visits had come with an "
            "import. Without a day, what is known now."
        ),
        "def-as-of",
    ),
    Definition(
        _l("Still in the programme"),
        _l(
            "Enrolments whose day 91 or 182 fell in these days; still in it are those active, "
            "paused or finished as that day ended. Who left, died or can't be reached is not."
        ),
    ),
    Definition(
        _l("Returned to care"),
        _l(
            "Enrolments whose day 90 or 180 fell in these days, of patients with no visit in "
            "the 365 days before their first day: those with a visit after it, up to that day. "
            "Visits come with imports; emergency visits and stays in hospital are not counted. "
            "Who has no visit on file at all is not counted either."
        ),
    ),
    Definition(
        _l("Measured, asked"),
        _l(
            "Windows that closed in these days (14, 120 and 210 days after the first day), and "
            "those with a value in them. By first enrolment; everybody counts, also who left."
        ),
    ),
    Definition(
        _l("Texts delivered"),
        _l(
            "Texts to patients that were due in these days: delivered, of those the carrier "
            "took. What failed before, or was not sent, is on the delivery page."
        ),
    ),
    Definition(
        _l("Refused, held back, sender not registered"),
        _l(
            "Texts that failed with that code of the carrier, of all that it was handed in these "
            "days, whether or not it took them."
        ),
    ),
    Definition(
        _l("Texted back, texted STOP"),
        _l(
            "Of patients whose texts the carrier took in these days, those from whom any text, "
            "or STOP, came in them."
        ),
    ),
    Definition(
        _l("Concerns taken on in time"),
        _l(
            "Concerns raised in these days that were taken on within the target of their "
            "urgency, of those taken on or past it. Those that wait within their time are not "
            "counted yet."
        ),
    ),
    Definition(
        _l("Concerns closed"),
        _l("Concerns raised in these days that are closed: now, or as of the day asked for."),
    ),
    Definition(
        _l("By caller, phase or week"),
        _l(
            "By the day that each is of: day 91 or 182, 90 or 180, the last day of a window, the "
            "day on which a text was due or a concern was raised. It belongs to whoever was the "
            "patient's caller as that day ended, or was it last before: who left had somebody "
            "until then; and to the phase of that day, the last one where the programme was over. "
            "Whether somebody texted back is of no one week or phase, and belongs to their caller "
            "on the last of these days."
        ),
    ),
)
OUTCOMES = (
    Definition(
        _l("Eligible"),
        _l(
            "Everybody ever enrolled, whatever became of them, counted once by their first "
            "enrolment, whose window is over: day 120 for month 3, day 210 for month 6."
        ),
    ),
    Definition(
        _l("Baseline, month 3, month 6"),
        _l(
            "The value nearest to the first day (from 90 days before to 14 days after it), to "
            "day 91 (day 60 to 120) and to day 182 (day 150 to 210). Of two as near, the later "
            "one. HI, LO and values marked as unreliable don't count."
        ),
    ),
    Definition(
        _l("Change"),
        _l(
            "Follow-up less baseline, of those who have both. The interval of the mean is by "
            "Student's t, that of a share is Wilson's."
        ),
    ),
    Definition(
        _l("Responders"),
        _l(
            "HbA1c: a fall of at least 0.5 points, of those measured twice. PHQ-9: a fall by "
            "half or more, of those who began at 10 or more and were measured twice. Those "
            "who began at 5 or more stand beside, as in the published trial."
        ),
        "def-responders",
    ),
    Definition(
        _l("As of"),
        _l(
            "What had been recorded by the end of that day, as it stood then. What was entered "
            "or corrected later does not count, so the same day gives the same numbers next "
            "year."
        ),
    ),
)
BOARD = (
    Definition(
        _l("Under care"),
        _l(
            "Everybody whose first day lies before the last three calendar months, whether or "
            "not the programme is over for them, without those who died, who left, or who are "
            "lost."
        ),
    ),
    Definition(
        _l("Not counted"),
        _l(
            "Who had begun by the end of the month and is in none of its figures: new, that is "
            "in the first three calendar months; or gone, that is who died or left."
        ),
    ),
    Definition(
        _l("Controlled, not controlled, no HbA1c"),
        _l(
            "By the newest HbA1c of the three calendar months that end with this one: below 8%, "
            "8% or above, or none. Of patients under care."
        ),
    ),
    Definition(
        _l("Lost at 12 months"),
        _l(
            "Neither spoken with nor measured in twelve calendar months. Of patients under care "
            "and lost ones together."
        ),
    ),
    Definition(
        _l("Cohorts"),
        _l(
            "Everybody who began in the month, whatever became of them, by the HbA1c nearest to "
            "day 182 (day 150 to 210). Of those whose window is over; 'window still open' is of "
            "all who began."
        ),
    ),
    Definition(
        _l("Where this comes from"),
        _l(
            "The WHO HEARTS dashboards, which ask the same of blood pressure. What was recorded "
            "or corrected after the day above does not count."
        ),
    ),
)
