"""Lists of texts as files: those sent, what became of them, those that wait for an answer."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.accounts.rules import Role
from outreach.clock import local_day
from outreach.exports.asked_of import OF_A_PATIENT, ListAsked, on_clock, who_of
from outreach.exports.rules.cells import Column, Table, Value
from outreach.inbox import waiting as waiting_texts
from outreach.messaging import delivery as deliveries
from outreach.messaging import thread
from outreach.messaging.models import Message
from outreach.messaging.rules import kind_named
from outreach.patients import finding

_NOBODY = ("", "", "")


def sent(session: Session, asked: ListAsked) -> Table:
    """Return texts to patients and alerts to staff, or e-mails to staff, newest first."""
    show, kind = str(asked.params.get("show", "")), kind_named(asked.params.get("kind"))
    statuses = thread.SHOWN.get(show, ())
    total, found = thread.everything(
        session,
        asked.scope,
        statuses=statuses,
        kind=kind,
        are_letters=show == thread.SHOW_LETTERS,
    )
    columns = (
        *OF_A_PATIENT,
        Column("staff", "Whom it went to, where it was no patient."),
        Column("number", "Where it went, of a number that is no patient's and nobody's of staff."),
        Column("kind", "Why it is sent."),
        Column("at", "When it went out or is to go out, on the clock of whom it is for."),
        Column("language", "Code of its language (ISO 639-1)."),
        Column("status", "What became of it."),
        Column("not_sent_because", "Why it was not sent. Empty: it was, or waits."),
        Column("failure", "Why it failed, in the carrier's code or ours."),
        Column("text", "What it says."),
    )
    return asked.table("Sent texts", columns, (_of_text(each) for each in found), total)


def _of_text(text: Message) -> Sequence[Value]:
    at = text.accepted_at or text.calling_at or text.send_after
    return (
        *(who_of(text.patient) if text.patient else _NOBODY),
        text.staff.name if text.staff else None,
        None if text.patient or text.staff else text.to_number,
        text.kind.value,
        on_clock(at, (text.patient or text.staff or text.clinic).zone),
        text.language,
        text.status.value,
        text.skip_reason.value if text.skip_reason else None,
        text.failure or None,
        text.body,
    )


def delivery(session: Session, asked: ListAsked) -> Table:
    """Return what became of texts, day by day, newest first, as the page's table."""
    zone = ZoneInfo(asked.actor.zone)
    found = deliveries.delivery(
        session,
        asked.scope,
        zone,
        today=local_day(asked.now, zone),
        days=deliveries.days_of(asked.params.get("days")),
        kind=kind_named(asked.params.get("kind")),
    )
    rows: list[Sequence[Value]] = [
        (
            day.on,
            day.due,
            day.waiting,
            day.on_its_way,
            day.taken,
            day.delivered,
            day.undelivered,
            day.no_word,
            day.failed,
            day.lost,
            day.skipped,
        )
        for day in reversed(found.days)
        if day.due
    ]
    columns = (
        Column("day", "Day on which the texts were due, on the reader's clock."),
        Column("due", "All of them: the denominator."),
        Column("waiting", "Not sent yet."),
        Column("being_sent", "On their way to the carrier."),
        Column("handed_over", "Taken by the carrier: the denominator of the next three."),
        Column("delivered", "Delivered, of those handed over."),
        Column("not_delivered", "Not delivered, of those handed over."),
        Column("no_word", "Of those handed over, nothing final is known."),
        Column("failed", "Refused by the carrier."),
        Column("lost", "Nobody knows whether they went out."),
        Column("not_sent", "Held back, as consent, limits or hours ask."),
    )
    return asked.table("Delivery of texts", columns, rows)


def waiting(session: Session, asked: ListAsked) -> Table:
    """Return texts from patients that a person has to see to; their words stay in the product."""
    lines = waiting_texts.lines(
        session,
        finding.managing(asked.actor),
        now=asked.now,
        overdue_only=asked.params.get("show") != "all",
        danger_at=asked.actor.clinic_ids_as(Role.NURSE),
        most=None,
    )
    columns = (
        *OF_A_PATIENT,
        Column("number", "Where it came from, of a number that is no patient's."),
        Column("understood_as", "What it seems to say; its words stay in the product."),
        Column("came_at", "On the patient's clock; on the reader's where it is no patient's."),
        Column("is_old", "Whether it has waited for more than a day."),
        Column("caller", "Who is on duty for them. Empty: nobody."),
    )
    return asked.table("Texts that wait", columns, list(_waiting(lines, asked)))


def _waiting(lines: Sequence[waiting_texts.Line], asked: ListAsked) -> Iterator[Sequence[Value]]:
    for each in lines:
        yield (
            *(who_of(each.patient) if each.patient else _NOBODY),
            None if each.patient else each.inbound.from_number,
            each.item.understood.value,
            on_clock(each.item.at, (each.patient or asked.actor).zone),
            each.is_old(asked.now),
            each.caller_name,
        )
