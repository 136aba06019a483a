"""Lists of work as files: whom to call, what to measure, see to and deal with."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.calls import queue as queues
from outreach.calls.queue import Entry
from outreach.chart import follow_ups as contacts
from outreach.clock import local_day
from outreach.concerns import flags, raising, reviewing
from outreach.concerns.models import Concern
from outreach.exports.asked_of import OF_A_PATIENT, ListAsked, on_clock, who_of
from outreach.exports.rules.cells import Column, Table, Value
from outreach.patients.rules import NumberHealth
from outreach.phoning import returning
from outreach.results import due
from outreach.welfare import checks

_CLINIC = Column("clinic", "Name of the clinic.")
_OF_A_CONCERN = (
    *OF_A_PATIENT,
    _CLINIC,
    Column("kind", "What it is about; its words stay in the product."),
    Column("urgency", "How soon a nurse is to see to it."),
)
_OF_A_CHECK = (
    *OF_A_PATIENT,
    _CLINIC,
    Column("caller", "The dedicated caller. Empty: none."),
    Column("reason", "Why."),
    Column("asked_at", "Since when, on the patient's clock."),
    Column("last_talked", "Last conversation, on the patient's clock. Empty: none yet."),
)


def queue(session: Session, asked: ListAsked) -> Table:
    """Return the queue of who asks, in its order; what was said in calls stays in the product."""
    found = queues.queue_of(session, asked.actor, now=asked.now)
    columns = (
        Column("called", "What they like to be called."),
        Column("patient", "Name."),
        Column("language", "Code of the language (ISO 639-1)."),
        Column("part", "Part of the queue."),
        Column("not_now_because", "Why it is not for now. Empty: it is, or comes later."),
        Column("with", "Who has this call open now. Empty: nobody else."),
        Column("from", "When it can be made, on the patient's clock."),
        Column("until", "When this time is over, on the patient's clock."),
        Column("zone", "The patient's clock."),
        Column("is_agreed", "Whether they asked for this time, or agreed to it."),
        Column("last_day", "After it the call counts as missed."),
        Column("dials", "How often this call was tried."),
        Column("promise_on", "Day of the next promise. Empty: none is open."),
        Column("covered_for", "Whose patient it is, where you stand in. Empty: your own."),
    )
    return asked.table("My queue", columns, [_of_an_entry(each) for each in found.entries])


def _of_an_entry(entry: Entry) -> Sequence[Value]:
    facts = entry.facts
    return (
        entry.called,
        entry.full_name,
        entry.language,
        entry.group.value,
        entry.rest.value if entry.rest else None,
        entry.held_by,
        on_clock(facts.from_at, entry.zone),
        on_clock(facts.dial_until_at, entry.zone),
        entry.zone,
        facts.is_agreed,
        entry.complete_by_on,
        facts.dials,
        entry.promise_on,
        entry.covered_for,
    )


def to_measure(session: Session, asked: ListAsked) -> Table:
    """Return whose measurement window is open with something missing."""
    rows: list[Sequence[Value]] = [
        (
            *who_of(each.patient),
            each.patient.clinic.name,
            each.standing.point.code,
            each.standing.from_on,
            each.standing.target_on,
            each.standing.until_on,
            ", ".join(each.standing.missing),
        )
        for each in due.everybody(session, asked.scope, now=asked.now).missing
    ]
    columns = (
        *OF_A_PATIENT,
        _CLINIC,
        Column("point", "Code of the measurement point of the programme."),
        Column("from", "First day of the window."),
        Column("best_on", "Its target."),
        Column("until", "Its last day."),
        Column("missing", "What is not measured yet."),
    )
    return asked.table("To measure", columns, rows)


def follow_ups(session: Session, asked: ListAsked) -> Table:
    """Return whom calls don't get through to, for somebody to check how to reach them."""
    found = contacts.open_checks(session, asked.scope, now=asked.now, most=None)
    rows: list[Sequence[Value]] = [
        (
            *_of_a_check(each),
            sum(number.health is NumberHealth.WORKING for number in each.numbers),
            len(each.numbers),
        )
        for each in found.shown
    ]
    columns = (
        *_OF_A_CHECK,
        Column("working_numbers", "Telephone numbers that work."),
        Column("numbers", "Of so many."),
    )
    return asked.table("Follow-ups", columns, rows)


def welfare(session: Session, asked: ListAsked) -> Table:
    """Return whom nobody has reached for so long that somebody makes sure they are well."""
    _count, found = checks.open_checks(session, asked.scope, now=asked.now, most=None)
    rows: list[Sequence[Value]] = [
        (
            *_of_a_check(each.check),
            ", ".join(step.kind.value for step in each.steps),
            ", ".join(kind.value for kind in each.untried),
        )
        for each in found
    ]
    columns = (
        *_OF_A_CHECK,
        Column("tried", "What was tried; what came of it stays in the product."),
        Column("to_try", "What is still to be tried, in order."),
    )
    return asked.table("Welfare checks", columns, rows)


def _of_a_check(check: contacts.Check) -> Sequence[Value]:
    zone = check.patient.zone
    return (
        *who_of(check.patient),
        check.clinic_name,
        check.caller,
        check.follow_up.reason,
        on_clock(check.follow_up.opened_at, zone),
        on_clock(check.spoken_at, zone),
    )


def concerns(session: Session, asked: ListAsked) -> Table:
    """Return the concerns that are not closed, the most pressing first."""
    rows: list[Sequence[Value]] = [
        (
            *_of_a_concern(each),
            each.status.value,
            on_clock(each.waits_since, each.patient.clinic.zone),
            round((asked.now - each.waits_since).total_seconds() / 60),
            each.acknowledged_by.name if each.acknowledged_by else None,
        )
        for each in raising.unclosed(session, asked.scope)
    ]
    columns = (
        *_OF_A_CONCERN,
        Column("status", "open: nobody took it on yet."),
        Column("waits_since", "On the clinic's clock."),
        Column("minutes", "For so long."),
        Column("taken_on_by", "The nurse. Empty: nobody yet."),
    )
    return asked.table("Concerns", columns, rows)


def second_looks(session: Session, asked: ListAsked) -> Table:
    """Return urgent concerns that one person closed and no other looked at yet."""
    rows: list[Sequence[Value]] = [
        (
            *_of_a_concern(each),
            on_clock(each.closed_at, each.patient.clinic.zone),
            each.closed_by.name if each.closed_by else None,
        )
        for each in reviewing.pending(session, asked.scope)
    ]
    columns = (
        *_OF_A_CONCERN,
        Column("closed_at", "On the clinic's clock."),
        Column("closed_by", "Somebody else looks again."),
    )
    return asked.table("Concerns to look at again", columns, rows)


def flags_due(session: Session, asked: ListAsked) -> Table:
    """Return flags about a risk whose day of review has come; their words stay in the product."""
    today = local_day(asked.now, ZoneInfo(asked.actor.zone))
    rows: list[Sequence[Value]] = [
        (
            *who_of(each.patient),
            each.patient.clinic.name,
            each.kind.value,
            on_clock(each.raised_at, each.patient.clinic.zone),
            each.review_on,
        )
        for each in flags.due(session, asked.scope, today=today)
    ]
    columns = (
        *OF_A_PATIENT,
        _CLINIC,
        Column("kind", "Kind of risk."),
        Column("set_at", "On the clinic's clock."),
        Column("review_on", "Day on which a nurse was to look at it again."),
    )
    return asked.table("Flags to look at again", columns, rows)


def _of_a_concern(concern: Concern) -> Sequence[Value]:
    patient = concern.patient
    return (*who_of(patient), patient.clinic.name, concern.kind.value, concern.urgency.value)


def returned(session: Session, asked: ListAsked) -> Table:
    """Return calls that came back and nobody has seen to, unknown numbers first."""
    rows: list[Sequence[Value]] = [
        (
            *(who_of(each.patient) if each.patient else ("", "", "")),
            None if each.patient else each.number,
            on_clock(each.at, asked.actor.zone),
            each.caller_name,
        )
        for each in returning.open_in(session, asked.scope, now=asked.now)
    ]
    columns = (
        *OF_A_PATIENT,
        Column("number", "Who rang, where it is no patient's number."),
        Column("rang_at", "On the reader's clock."),
        Column("caller", "Who rings back. Empty: a manager decides."),
    )
    return asked.table("Returned calls", columns, rows)
