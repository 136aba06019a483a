"""What each file is made of: the list of patients, calls, reports."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor, Scope
from outreach.accounts.scoping import visible
from outreach.calls.models import Attempt
from outreach.exports import (
    call_tables,
    load_tables,
    outcome_tables,
    people_tables,
    record_tables,
    text_tables,
    work_tables,
)
from outreach.exports.asked_of import ListAsked, Question, asked_of, on_clock, who_of
from outreach.exports.models import Export
from outreach.exports.rules import Content
from outreach.exports.rules.cells import Column, Table, Value
from outreach.patient_list import listing, searches
from outreach.patient_list.listing import Line
from outreach.patient_list.rules import Column as Shown
from outreach.patient_list.rules import Wanted, wanted_of
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.pulse.rules import Telling
from outreach.reports import adherence, export, known
from outreach.reports.asked import Asked, Here

if TYPE_CHECKING:
    from outreach.exports.paper import Paper

_DAY = "Year, month and day."
# The columns of the list in a file: what a screen shows in one may be two here.
LISTED: Mapping[Shown, Sequence[Column]] = {
    Shown.AGE: (Column("age", "Years on the day the file was asked for."),),
    Shown.CLINIC: (Column("clinic", "Name of the clinic."),),
    Shown.LANGUAGE: (Column("language", "Code of the language (ISO 639-1)."),),
    Shown.CALLER: (Column("caller", "The dedicated caller, empty where there is none."),),
    Shown.STANDING: (
        Column("programme", "Where the latest enrolment stands; empty: never enrolled."),
        Column("week", "Week of the programme from 1, while it lasts."),
    ),
    Shown.PHASE: (Column("phase", "Code of the phase of the programme, while it lasts."),),
    Shown.ENROLLED: (Column("first_day", f"First day of the latest enrolment. {_DAY}"),),
    Shown.NEXT_CALL: (
        Column("next_call", "From when the next call is to be dialled, on the patient's clock."),
    ),
    Shown.REACHED: (
        Column("last_talked", "When somebody last talked with them, on the patient's clock."),
    ),
    Shown.HBA1C: (
        Column("hba1c_percent", "Last HbA1c that counts, in percent (NGSP)."),
        Column("hba1c_on", f"When it was measured. {_DAY}"),
    ),
    Shown.PHQ9: (
        Column("phq9_total", "Last PHQ-9 total that counts, 0 to 27."),
        Column("phq9_on", f"When it was answered. {_DAY}"),
    ),
    Shown.CONCERN: (Column("open_concern", "Whether a concern is not closed."),),
    Shown.NUMBER: (
        Column("has_working_number", "Whether a telephone number works."),
        Column("has_broken_number", "Whether a telephone number doesn't work."),
    ),
    Shown.TEXTS: (Column("texts_stopped", "Whether they said stop to texts on a number."),),
}
_ALWAYS = (
    Column("record_number", "The clinic's number of the patient."),
    Column("given_name", "Given name."),
    Column("family_name", "Family name."),
)
_OF_A_CALL = (
    Column("dialled_at", "When it was dialled, on the clinic's clock."),
    Column("record_number", "The clinic's number of the patient."),
    Column("caller", "Who dialled."),
    Column("own_caller", "Whether that was the patient's dedicated caller."),
    Column("outcome", "How the dial ended."),
    Column("reached", "Whether the caller spoke with the patient."),
    Column("minutes", "Length of the conversation in minutes, 0 where nobody was reached."),
    Column("phase", "Phase of the programme of the planned call."),
    Column("due_on", f"Day on which the call was due. {_DAY}"),
    Column("planned_call", "Number of the planned call in the enrolment, from 1."),
)
_OF_A_FIGURE = {
    "clinic": "Name of the clinic.",
    "caller": "The caller the figure is about.",
    "measure": "What is measured; the report's page defines each.",
    "numerator": "What is counted.",
    "denominator": "Of how many. Empty: the figure is no rate.",
    "value": "Numerator by denominator, or the figure itself.",
    "period_from": "First day, at the clinic.",
    "period_until": "Last day, at the clinic.",
    "as_of": "The earlier day as of whose end it was asked; empty: what was known then.",
}


LISTS: Mapping[Content, Callable[[Session, ListAsked], Table]] = {
    Content.QUEUE: work_tables.queue,
    Content.TO_MEASURE: work_tables.to_measure,
    Content.FOLLOW_UPS: work_tables.follow_ups,
    Content.WELFARE: work_tables.welfare,
    Content.CONCERNS: work_tables.concerns,
    Content.SECOND_LOOKS: work_tables.second_looks,
    Content.FLAGS: work_tables.flags_due,
    Content.RETURNED: work_tables.returned,
    Content.CALLERS: people_tables.callers,
    Content.PANELS: people_tables.panels,
    Content.PROPOSAL: people_tables.proposal,
    Content.ON_CALL: people_tables.on_call,
    Content.EMERGENCIES: record_tables.emergencies,
    Content.STAFF: people_tables.staff,
    Content.SENT_TEXTS: text_tables.sent,
    Content.DELIVERY: text_tables.delivery,
    Content.TEXTS_WAITING: text_tables.waiting,
    Content.IMPORTS: record_tables.imports,
    Content.KEPT: record_tables.kept,
    Content.CLOSED_DAYS: record_tables.closed_days,
    Content.MEASURES: record_tables.measures,
    Content.AUDIT: record_tables.trail,
}
REPORTS: Mapping[Content, Callable[[Session, Question], Table]] = {
    Content.GROUPS: call_tables.groups,
    Content.WEEKS: call_tables.weeks,
    Content.TEAM: call_tables.team,
    Content.TEAM_GROUPS: load_tables.team_by_group,
    Content.PULSE: call_tables.pulse,
    Content.DIALS: call_tables.dials,
    Content.DIAL_GROUPS: call_tables.dials_by_group,
    Content.TARGETS: call_tables.aims,
    Content.BEHIND: call_tables.behind,
    Content.SINGLE_CALLS: call_tables.calls,
    Content.AROUND: call_tables.around,
    Content.AROUND_GROUPS: call_tables.around_groups,
    Content.AROUND_BEHIND: call_tables.around_behind,
    Content.TODAY: call_tables.of_today,
    Content.TODAY_CALLS: load_tables.calls_of_today,
    Content.SINGLE_CONCERNS: load_tables.concerns,
    Content.DAYS_ON_PHONE: load_tables.days,
    Content.OUTCOMES: outcome_tables.changes,
    Content.OUTCOME_GROUPS: outcome_tables.groups,
    Content.FOLLOWED: outcome_tables.followed,
    Content.GLYCAEMIC: outcome_tables.glycaemic,
    Content.GLYCAEMIC_BEHIND: outcome_tables.glycaemic_behind,
    Content.BOARD_BEHIND: outcome_tables.board_behind,
    Content.BOARD: outcome_tables.months,
    Content.COHORTS: outcome_tables.cohorts,
    Content.BOARD_GROUPS: outcome_tables.places,
}


def table(session: Session, actor: Actor, asked: Export, telling: Telling) -> Table | None:
    """Return what ``asked`` is to hold, within what ``actor`` manages.

    ``telling``: what may be told of callers' own answers.
    None where the search it was asked for is not kept any more.
    """
    scope, made = finding.managing(actor), _made(actor, asked)
    match asked.content:
        case Content.PATIENTS:
            return _patients(session, actor, asked)
        case Content.CALLS:
            return _calls(session, scope, _question(session, scope, asked), made)
        case Content.ADHERENCE:
            return _adherence(session, _question(session, scope, asked), made)
        case content if content in LISTS:
            return LISTS[content](session, ListAsked(actor, asked.asked, made, asked.asked_at))
        case content:
            return REPORTS[content](session, _of_report(session, actor, asked, telling))


def on_paper(session: Session, actor: Actor, asked: Export, telling: Telling) -> "Paper":
    """Return what ``asked`` is to hold as it is set on paper; ``telling``: see :func:`table`."""
    from outreach.exports.papers import PAPERS  # noqa: PLC0415 - it says what pages say: Flask's

    return PAPERS[asked.content](session, _of_report(session, actor, asked, telling))


def _of_report(session: Session, actor: Actor, asked: Export, telling: Telling) -> Question:
    scope = finding.managing(actor)
    clinic = staff.clinic_in(session, scope, asked.asked["clinic"])
    here = Here.of(scope, clinic, now=asked.asked_at)
    return Question(scope, clinic, here, asked.asked, _made(actor, asked), telling)


def _made(actor: Actor, asked: Export) -> tuple[str, str]:
    return "Made", f"{asked.asked_at:%Y-%m-%d %H:%M} UTC for {actor.name}"


@dataclass(frozen=True)
class Listed:
    """The list of patients as it was asked for; ``about`` says how.

    ``total`` counts it, for those who need to know before they have read it.
    """

    wanted: Wanted
    lines: Iterable[Sequence[Line]]
    total: Callable[[], int]
    about: Sequence[tuple[str, str]]

    def patients(self) -> Iterator[Sequence[Patient]]:
        """Yield the patients, some at a time."""
        for some in self.lines:
            yield [line.patient for line in some]


def listed(session: Session, actor: Actor, asked: Export) -> Listed | None:
    """Return the list of patients that was asked for; None where its search is not kept now."""
    scope, wanted = finding.managing(actor), wanted_of(asked.asked)
    token = asked.asked.get("found")
    kept = searches.find(session, asked.staff_id, token, now=asked.asked_at)
    if token and kept is None:
        return None
    search = searches.understood(kept)
    frame = listing.frame(session, scope, wanted.filters, now=asked.asked_at)
    about = [_made(actor, asked), *wanted.filters.as_params().items()]
    about += [("sorted by", wanted.sort.value)]
    about += [("search", kept.text)] if kept else []
    lines = listing.everybody(session, frame, wanted, search)
    total = partial(listing.count, session, frame, wanted.filters, search)
    return Listed(wanted, lines, total, about)


def _patients(session: Session, actor: Actor, asked: Export) -> Table | None:
    found = listed(session, actor, asked)
    if found is None:
        return None
    shown = found.wanted.columns
    columns = [*_ALWAYS, *(column for each in shown for column in LISTED[each])]
    rows = (_row(line, shown) for some in found.lines for line in some)
    return Table("Patients", columns, rows, found.total(), found.about)


def _row(line: Line, columns: Sequence[Shown]) -> list[Value]:
    return [*who_of(line.patient), *(cell for shown in columns for cell in _cells(shown, line))]


def _cells(shown: Shown, line: Line) -> tuple[Value, ...]:
    zone = ZoneInfo(line.patient.zone)
    enrolment = line.enrolment
    next_call = line.next_call.dial_from_at if line.next_call else None
    cells: Mapping[Shown, tuple[Value, ...]] = {
        Shown.AGE: (line.age,),
        Shown.CLINIC: (line.clinic_name,),
        Shown.LANGUAGE: (line.patient.language,),
        Shown.CALLER: (line.caller_name,),
        Shown.STANDING: (enrolment.status.value if enrolment else None, line.week),
        Shown.PHASE: (line.phase.code if line.phase else None,),
        Shown.ENROLLED: (enrolment.starts_on if enrolment else None,),
        Shown.NEXT_CALL: (on_clock(next_call, zone),),
        Shown.REACHED: (on_clock(line.last_reached_at, zone),),
        Shown.HBA1C: _measured(line.hba1c, zone),
        Shown.PHQ9: _measured(line.phq9, zone),
        Shown.CONCERN: (line.has_concern,),
        Shown.NUMBER: (line.has_working_number, line.has_broken_number),
        Shown.TEXTS: (line.has_stopped,),
    }
    return cells[shown]


def _measured(found: tuple[Value, datetime] | None, zone: ZoneInfo) -> tuple[Value, Value]:
    return (found[0], found[1].astimezone(zone).date()) if found else (None, None)


def _question(session: Session, scope: Scope, asked: Export) -> tuple[Clinic, Asked]:
    clinic = staff.clinic_in(session, scope, asked.asked["clinic"])
    return clinic, asked_of(Here.of(scope, clinic, now=asked.asked_at), asked.asked)


def _calls(
    session: Session, scope: Scope, question: tuple[Clinic, Asked], made: tuple[str, str]
) -> Table:
    clinic, asked = question
    begins, ends = asked.instants
    met = (
        asked.within(Attempt.clinic_id),
        visible(scope, Attempt.clinic_id, Attempt.patient_id),
        Attempt.at >= begins,
        Attempt.at < ends,
        known.counts(asked),
    )
    statement = (
        select(
            Attempt.at,
            Patient.record_number,
            StaffMember.name,
            Attempt.is_primary_caller,
            Attempt.outcome,
            Attempt.minutes,
            PlannedCall.phase,
            PlannedCall.due_on,
            PlannedCall.sequence,
        )
        .join(Patient, Patient.id == Attempt.patient_id)
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .where(*met)
        .order_by(Attempt.at, Attempt.id)
        .execution_options(yield_per=1000)
    )

    def rows() -> Iterator[Sequence[Value]]:
        for at, record, caller, is_own, outcome, minutes, phase, due_on, number in session.execute(
            statement
        ):
            who = (record, caller, is_own, outcome.value, outcome.is_reached, minutes)
            yield (on_clock(at, asked.zone), *who, phase, due_on, number)

    total = session.scalar(select(func.count(Attempt.id)).where(*met)) or 0
    return Table("Calls", _OF_A_CALL, rows(), total, [made, *_about(clinic, asked)])


def _adherence(session: Session, question: tuple[Clinic, Asked], made: tuple[str, str]) -> Table:
    clinic, asked = question
    report = adherence.report(session, asked)
    as_of = asked.as_of_day
    rows = list(export.adherence_rows(clinic, asked.period, report, as_of=as_of))
    columns = [Column(name, _OF_A_FIGURE.get(name, "")) for name in export.HEADER]
    return Table("Adherence", columns, rows, len(rows), [made, *_about(clinic, asked)])


def _about(clinic: Clinic, asked: Asked) -> list[tuple[str, str]]:
    days = f"{asked.period.from_on} to {asked.period.until_on}"
    as_of = [("As of the end of", str(asked.as_of_day))] if asked.as_of_day else []
    return [("Clinic", clinic.name), ("Days", days), *as_of]
