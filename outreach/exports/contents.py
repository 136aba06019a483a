"""What each file is made of: the list of patients, calls, the adherence report."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor, Scope
from outreach.calls.models import Attempt
from outreach.exports.models import Export
from outreach.exports.rules import Content
from outreach.exports.rules.cells import Column, Table, Value
from outreach.patient_list import listing, searches
from outreach.patient_list.listing import Line
from outreach.patient_list.rules import Column as Shown
from outreach.patient_list.rules import wanted_of
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.reports import adherence, export
from outreach.reports.asked import Asked, Here
from outreach.reports.rules.period import Period

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
}


def table(session: Session, actor: Actor, asked: Export) -> Table | None:
    """Return what ``asked`` is to hold, within what ``actor`` manages.

    None where the search it was asked for is not kept any more.
    """
    scope = finding.managing(actor)
    made = ("Made", f"{asked.asked_at:%Y-%m-%d %H:%M} UTC for {actor.name}")
    match asked.content:
        case Content.PATIENTS:
            return _patients(session, scope, asked, made)
        case Content.CALLS:
            return _calls(session, _question(session, scope, asked), made)
        case _:
            return _adherence(session, _question(session, scope, asked), made)


def _patients(session: Session, scope: Scope, asked: Export, made: tuple[str, str]) -> Table | None:
    wanted = wanted_of(asked.asked)
    token = asked.asked.get("found")
    kept = searches.find(session, asked.staff_id, token, now=asked.asked_at)
    if token and kept is None:
        return None
    search = searches.understood(kept)
    frame = listing.frame(session, scope, wanted.filters, now=asked.asked_at)
    columns = [column for shown in wanted.columns for column in LISTED[shown]]
    about = [made, *wanted.filters.as_params().items()]
    about += [("sorted by", wanted.sort.value)]
    about += [("search", kept.text)] if kept else []
    return Table(
        "Patients",
        [*_ALWAYS, *columns],
        (
            _row(line, wanted.columns)
            for some in listing.everybody(session, frame, wanted, search)
            for line in some
        ),
        listing.count(session, frame, wanted.filters, search),
        about,
    )


def _row(line: Line, columns: Sequence[Shown]) -> list[Value]:
    patient = line.patient
    who = (patient.record_number, patient.given_name, patient.family_name)
    return [*who, *(cell for shown in columns for cell in _cells(shown, line))]


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
        Shown.NEXT_CALL: (_on_clock(next_call, zone),),
        Shown.REACHED: (_on_clock(line.last_reached_at, zone),),
        Shown.HBA1C: _measured(line.hba1c, zone),
        Shown.PHQ9: _measured(line.phq9, zone),
        Shown.CONCERN: (line.has_concern,),
        Shown.NUMBER: (line.has_working_number, line.has_broken_number),
        Shown.TEXTS: (line.has_stopped,),
    }
    return cells[shown]


def _measured(found: tuple[Value, datetime] | None, zone: ZoneInfo) -> tuple[Value, Value]:
    return (found[0], found[1].astimezone(zone).date()) if found else (None, None)


def _on_clock(instant: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return the wall clock at an instant, without its zone: files have none."""
    return instant.astimezone(zone).replace(tzinfo=None, microsecond=0) if instant else None


def _question(session: Session, scope: Scope, asked: Export) -> tuple[Clinic, Asked]:
    clinic = staff.clinic_in(session, scope, asked.asked["clinic"])
    first, last = (date.fromisoformat(asked.asked[name]) for name in ("from_on", "until_on"))
    here = Here.of(scope, clinic, now=asked.asked_at)
    return clinic, here.about(Period(first, last))


def _calls(session: Session, question: tuple[Clinic, Asked], made: tuple[str, str]) -> Table:
    clinic, asked = question
    begins, ends = asked.instants
    met = (
        asked.within(Attempt.clinic_id),
        Attempt.at >= begins,
        Attempt.at < ends,
        Attempt.superseded_at.is_(None),
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
            yield (_on_clock(at, asked.zone), *who, phase, due_on, number)

    total = session.scalar(select(func.count(Attempt.id)).where(*met)) or 0
    return Table("Calls", _OF_A_CALL, rows(), total, [made, *_about(clinic, asked)])


def _adherence(session: Session, question: tuple[Clinic, Asked], made: tuple[str, str]) -> Table:
    clinic, asked = question
    report = adherence.report(session, asked)
    rows = list(export.adherence_rows(clinic, asked.period, report))
    columns = [Column(name, _OF_A_FIGURE.get(name, "")) for name in export.HEADER]
    return Table("Adherence", columns, rows, len(rows), [made, *_about(clinic, asked)])


def _about(clinic: Clinic, asked: Asked) -> list[tuple[str, str]]:
    days = f"{asked.period.from_on} to {asked.period.until_on}"
    return [("Clinic", clinic.name), ("Days", days)]
