"""Lists of people who work here as files: callers, whom they call, nurses on call, accounts."""

from calendar import day_abbr
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.accounts import appointing
from outreach.callers import absence, profile
from outreach.callers.rules import last_day_of
from outreach.clock import local_day
from outreach.concerns import rota, weekly
from outreach.exports.asked_of import OF_A_PATIENT, ListAsked, on_clock, who_of
from outreach.exports.rules.cells import Column, Table, Value
from outreach.panels import proposals, roster
from outreach.patients.rules import weekdays_from_mask


def callers(session: Session, asked: ListAsked) -> Table:
    """Return the callers of a clinic, by name."""
    clinic, now = asked.clinic(session), asked.now
    found = roster.callers(session, clinic.id, on=now.date())
    ids = [each.caller_id for each in found]
    profiles = profile.of(session, ids)
    away = absence.away_now_or_next(session, ids, now=now)
    zone = ZoneInfo(clinic.zone)
    rows: list[Sequence[Value]] = []
    for each in found:
        kept, gone = profiles[each.caller_id], away.get(each.caller_id)
        days = (local_day(gone.from_at, zone), last_day_of(gone.until_at, zone)) if gone else None
        rows.append(
            (
                each.name,
                ", ".join(sorted(each.languages)),
                each.panel_size,
                each.cap,
                kept.weekly_minutes / 60,
                kept.trained_on,
                *(days or (None, None)),
            )
        )
    columns = (
        Column("caller", "Name."),
        Column("speaks", "Codes of the languages (ISO 639-1)."),
        Column("panel", "Patients whose dedicated caller they are, at every clinic."),
        Column("cap", "How many patients are to be on their panel at most."),
        Column("hours_a_week", "Hours that they call in a week."),
        Column("trained_on", "Day on which training is complete. Empty: not known."),
        Column("away_from", "First day of the absence that holds or comes next. Empty: none."),
        Column("away_until", "Its last day."),
    )
    return asked.table("Callers", columns, rows)


def panels(session: Session, asked: ListAsked) -> Table:
    """Return who calls whom at a clinic, and who waits for a caller."""
    clinic = asked.clinic(session)
    rows: list[Sequence[Value]] = [
        (
            *who_of(each.patient),
            each.patient.language,
            each.status.value,
            each.starts_on,
            each.caller_name,
            on_clock(each.since_at, clinic.zone),
        )
        for each in roster.everybody(session, asked.scope, clinic.id)
    ]
    columns = (
        *OF_A_PATIENT,
        Column("language", "Code of the language (ISO 639-1)."),
        Column("programme", "Where the open enrolment stands."),
        Column("first_day", "First day of the enrolment."),
        Column("caller", "The dedicated caller. Empty: waits for one."),
        Column("since", "Since when they are their caller, on the clinic's clock."),
    )
    return asked.table("Panels", columns, rows)


def staff(session: Session, asked: ListAsked) -> Table:
    """Return those whom the reader looks after, with their roles and how they sign in."""
    search, today = str(asked.params.get("search", "")), asked.now.date()
    rows: list[Sequence[Value]] = [
        (
            each.person.name,
            each.person.email,
            "; ".join(f"{held.role.value}: {held.clinic or 'every clinic'}" for held in each.held),
            each.person.is_active,
            each.is_invited,
            each.has_factor,
            on_clock(each.seen_at, "UTC"),
        )
        for each in appointing.colleagues(
            session, asked.actor, search=search, today=today, most=None
        )
    ]
    columns = (
        Column("name", "Name."),
        Column("email", "E-mail address."),
        Column("roles", "Each role with its clinic."),
        Column("is_open", "Whether the account is open."),
        Column("is_invited", "Whether they have yet to set a password."),
        Column("has_second_factor", "Whether a second factor is on."),
        Column("last_seen_utc", "When they last used the product, in UTC. Empty: never."),
    )
    return asked.table("Staff", columns, rows)


def proposal(session: Session, asked: ListAsked) -> Table:
    """Return who could call whom, as the open proposal has it."""
    clinic = asked.clinic(session)
    found = proposals.open_of(session, clinic.id)
    rows: list[Sequence[Value]] = [
        (
            *who_of(each.patient),
            each.patient.language,
            on_clock(each.enrolled_at, clinic.zone),
            each.caller_name,
            each.line.starts_on,
            each.line.left_out.value if each.line.left_out else None,
            ", ".join(each.line.unmet),
            each.line.is_changed,
        )
        for each in proposals.everything(
            session, asked.scope, found, str(asked.params.get("show", "all"))
        )
    ]
    columns = (
        *OF_A_PATIENT,
        Column("language", "Code of the language (ISO 639-1)."),
        Column("waits_since", "Since when they wait, on the clinic's clock."),
        Column("caller", "Whom they would get. Empty: nobody."),
        Column("first_day", "When the programme would begin."),
        Column("left_out_because", "The rule that leaves them without a caller."),
        Column("unmet_wishes", "Wishes that it does not meet."),
        Column("is_changed", "Whether somebody changed this line."),
    )
    return asked.table("Proposal", columns, rows)


def on_call(session: Session, asked: ListAsked) -> Table:
    """Return which nurse is on call when: by dates, then every week."""
    clinic = asked.clinic(session)
    today = local_day(asked.now, ZoneInfo(clinic.zone))
    nothing = (None, None)
    rows: list[Sequence[Value]] = [
        (
            duty.staff.name,
            duty.rank.value,
            on_clock(duty.from_at, clinic.zone),
            on_clock(duty.until_at, clinic.zone),
            *nothing,
            *nothing,
        )
        for duty in rota.coming(session, clinic.id, now=asked.now)
    ]
    rows += [
        (
            week.staff.name,
            week.rank.value,
            *nothing,
            ", ".join(day_abbr[day] for day in sorted(weekdays_from_mask(week.weekdays))),
            f"{week.begins:%H:%M}",
            f"{week.ends:%H:%M}",
            week.until_on,
        )
        for week in weekly.held(session, clinic.id, today=today)
    ]
    columns = (
        Column("nurse", "Name."),
        Column("rank", "Who is told first, and who next."),
        Column("from", "On the clinic's clock. Empty: every week."),
        Column("until", "On the clinic's clock. Empty: every week."),
        Column("weekdays", "Every week on these days. Empty: by dates."),
        Column("from_time", "On the clinic's clock."),
        Column("until_time", "On the clinic's clock."),
        Column("ends_on", "First day on which it holds no more. Empty: it goes on."),
    )
    return asked.table("On call", columns, rows)
