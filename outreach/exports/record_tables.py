"""What was done, and what holds: audit trail, imports, holds, closed days, measures."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.calling_hours import keeping
from outreach.clock import local_day
from outreach.exports.asked_of import OF_A_PATIENT, ListAsked, on_clock, who_of
from outreach.exports.rules.cells import Column, Table, Value
from outreach.intake import runs
from outreach.measures.rules import REGISTRY
from outreach.oversight import emergency, events
from outreach.retention import setting


def trail(session: Session, asked: ListAsked) -> Table:
    """Return who did what to which record, newest first. Patients are named by record number."""
    wanted = events.Asked.of(asked.params)
    total, found = events.everything(session, asked.actor, wanted)
    columns = (
        Column("at_utc", "When, in UTC."),
        Column("staff", "Who: a person, or another system by the name of its key. Empty: our own."),
        Column("action", "What they did."),
        Column("page_or_record", "Page that was looked at, or kind of record."),
        Column("clinic", "Name of the clinic."),
        Column("record_number", "The clinic's number of the patient. Empty: about no patient."),
    )
    rows = (
        (
            on_clock(each.at, "UTC"),
            each.staff,
            each.action,
            each.page,
            each.clinic,
            each.record_number,
        )
        for each in found
    )
    about = [
        asked.made,
        ("Days", f"{wanted.from_on} to {wanted.until_on} ({wanted.zone.key})"),
        ("Only looks at patients", "yes" if wanted.only_looks else "no"),
        ("One patient alone", "no" if wanted.patient_ids is None else "yes"),
    ]
    if wanted.staff:
        about.append(("Staff", wanted.staff))
    return Table("Audit trail", columns, rows, total, about)


def imports(session: Session, asked: ListAsked) -> Table:
    """Return past imports, newest first, with what each counted."""
    found = runs.recent(session, asked.scope, most=None)
    counted = sorted({name for run, _clinic, _by in found for name in run.counts})
    rows: list[Sequence[Value]] = [
        (
            on_clock(run.at, clinic.zone),
            clinic.name,
            by,
            run.kind.value,
            *(run.counts.get(name, 0) for name in counted),
        )
        for run, clinic, by in found
    ]
    columns = (
        Column("at", "When, on the clinic's clock."),
        Column("clinic", "Name of the clinic."),
        Column("by", "Who. Empty: a command."),
        Column("kind", "What the file was."),
        *(Column(name, f"How many: {name.replace('_', ' ')}.") for name in counted),
    )
    return asked.table("Imports", columns, rows)


def kept(session: Session, asked: ListAsked) -> Table:
    """Return the holds of a clinic and who asked that data be deleted, without the words why."""
    clinic, opened = asked.clinic(session), asked.scope.opened_patients
    found = setting.overview(session, clinic.id, now=asked.now, most=None)
    rows: list[tuple[datetime, int, Sequence[Value]]] = []
    for hold in found.holds:
        told: tuple[Value, ...] = ("hold", None, hold.placed_by.name, None, None, None, None)
        rows.append((hold.placed_at, hold.patient_id, (*who_of(hold.patient), *told)))
    for each in [*found.open_requests, *found.decided]:
        told = (
            "request", each.asked_on, each.noted_by.name,
            each.decision.value if each.decision else None,
            each.decided_by.name if each.decided_by else None,
            on_clock(each.decided_at, clinic.zone), on_clock(each.done_at, clinic.zone),
        )  # fmt: skip
        rows.append((each.noted_at, each.patient_id, (*who_of(each.patient), *told)))
    rows.sort(key=lambda row: row[0], reverse=True)
    columns = (
        *OF_A_PATIENT,
        Column("kind", "hold: nothing is removed until it is lifted. request: to delete data."),
        Column("asked_on", "Day on which they asked."),
        Column("noted_by", "Who placed the hold, or noted the request."),
        Column("decision", "What was decided. Empty: nothing yet."),
        Column("decided_by", "Somebody else than who noted it."),
        Column("decided_at", "On the clinic's clock."),
        Column("done_at", "When the data were gone, on the clinic's clock."),
        Column("noted_at", "Since when it is known, on the clinic's clock."),
    )
    shown = [
        (*told, on_clock(at, clinic.zone))
        for at, patient_id, told in rows
        if opened is None or patient_id in opened
    ]
    return asked.table("Holds and requests", columns, shown)


def closed_days(session: Session, asked: ListAsked) -> Table:
    """Return the days of the coming year on which a clinic makes no calls."""
    clinic = asked.clinic(session)
    today = local_day(asked.now, ZoneInfo(clinic.zone))
    rows: list[Sequence[Value]] = [
        (each.on, each.name, each.closure_id is None)
        for each in keeping.closed_days(session, clinic, today=today)
    ]
    columns = (
        Column("day", "No calls are made on it."),
        Column("why", "In the clinic's words, or the holiday's name."),
        Column("is_holiday", "Whether it is a public holiday."),
    )
    return asked.table("Closed days", columns, rows)


def measures(_session: Session, asked: ListAsked) -> Table:
    """Return the registry: what a medical lead confirms before anybody relies on it."""
    rows: list[Sequence[Value]] = [
        (
            each.kind.value,
            each.loinc,
            each.unit,
            ", ".join(each.units),
            *(each.hard.low, each.hard.high, each.soft.low, each.soft.high),
            "; ".join(f"{at.level.value}: {at.side.value} {at.value:f}" for at in each.thresholds),
            "; ".join(at.level.value for at in each.thresholds if not at.is_verified),
            each.change.points if each.change else None,
            each.change.share if each.change else None,
            each.unverified or None,
        )
        for each in REGISTRY.values()
    ]
    columns = (
        Column("code", "Our code."),
        Column("loinc", "Code of LOINC. Empty: there is none."),
        Column("unit", "Unit that values are kept in (UCUM)."),
        Column("units", "Units in which it may be entered."),
        Column("refused_below", "Below it a value is refused."),
        Column("refused_above", "Above it a value is refused."),
        Column("asked_below", "Below it a value is asked once more."),
        Column("asked_above", "Above it a value is asked once more."),
        Column("means", "What a value means, with the side of the limit on which it does."),
        Column("unverified_limits", "Meanings whose limit the medical lead has yet to confirm."),
        Column("change_counts_from", "From which difference on two values differ by what counts."),
        Column("change_share", "Likewise, as a share of the earlier value: 0.3 is 30 %."),
        Column("unverified", "What else is yet to be confirmed."),
    )
    return asked.table("Measures", columns, rows)


def emergencies(session: Session, asked: ListAsked) -> Table:
    """Return who opened whom in an emergency, newest first. Patients are named by number alone."""
    clinics = None if asked.scope.everything else asked.scope.clinic_ids
    rows: list[Sequence[Value]] = [
        (
            on_clock(each.at, "UTC"),
            on_clock(each.until, "UTC"),
            each.staff,
            each.clinic,
            each.record_number,
            each.reason,
        )
        for each in emergency.recent(session, clinics, now=asked.now, most=None)
    ]
    columns = (
        Column("from_utc", "When, in UTC."),
        Column("until_utc", "Until when, in UTC."),
        Column("staff", "Who."),
        Column("clinic", "Name of the clinic."),
        Column("record_number", "The clinic's number of the patient."),
        Column("reason", "Why, in their words."),
    )
    days = ("days", f"the last {emergency.SHOWN.days}")
    return asked.table("Emergency access", columns, rows, about=(days,))
