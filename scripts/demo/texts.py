"""Reminders that went out before the demo's calls, within the product's own limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from outreach.messaging.rules import LIMITS, MessageStatus
from outreach.messaging.templates import ReminderFacts, reminder
from outreach.patients.rules import next_allowed_at
from outreach.programmes.rules import PUBLISHED_PROTOCOL
from outreach.web.phones import as_written
from outreach.wordings.keeping import built_in
from outreach.wordings.rules import TextName, known_language
from scripts.demo.people import Fate, Person
from scripts.demo.story import Call, Story

_LEAD = timedelta(minutes=PUBLISHED_PROTOCOL.reminder_lead_minutes)
_WEEK = timedelta(days=7)
_BECAME = (MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED)
_BECAME_SHARES = (965, 25, 10)
# Twilio's numbers for an unreachable handset and for no answer from the carrier.
ERROR_CODES = {MessageStatus.UNDELIVERED: 30003, MessageStatus.FAILED: 30008}


@dataclass(frozen=True)
class Text:
    """One reminder: when it went out, for which call, and what became of it."""

    call: Call
    body: str
    at: datetime
    status: MessageStatus
    reported_at: datetime


def of(rng: Random, person: Person, story: Story, *, now: datetime) -> Iterator[Text]:
    """Yield the reminders of a patient's calls, for those who agreed to texts."""
    if not person.has_sms_consent or person.caller is None:
        return
    sent: list[datetime] = []
    for call in story.calls:
        at = _moment(rng, person, call)
        if at is None or at > now - timedelta(minutes=2) or not _is_within_limits(person, sent, at):
            continue
        if person.fate is not Fate.ACTIVE and call.closed_at and at >= call.closed_at:
            continue
        sent.append(at)
        status = rng.choices(_BECAME, _BECAME_SHARES)[0]
        reported_at = at + timedelta(seconds=rng.randint(3, 70))
        yield Text(call, _body(person, call), at, status, reported_at)


def _moment(rng: Random, person: Person, call: Call) -> datetime | None:
    """Return when the reminder goes out: a day ahead, or at the next opening before the call."""
    ready_at = max(call.first_slot.from_at - _LEAD, call.planned_at)
    at = next_allowed_at(ready_at, person.zone, person.calendar.lawful())
    at += timedelta(seconds=rng.randint(1, 29))  # the job that sends comes round twice a minute
    return at if at < call.first_slot.from_at else None


def _is_within_limits(person: Person, sent: list[datetime], at: datetime) -> bool:
    today = [each for each in sent if person.local_day(each) == person.local_day(at)]
    this_week = [each for each in sent if each > at - _WEEK]
    return len(today) < LIMITS.per_day and len(this_week) < LIMITS.per_week


def _body(person: Person, call: Call) -> str:
    caller = person.caller.name if person.caller else ""
    return reminder(
        ReminderFacts(
            language=person.language,
            clinic_name=person.site.name,
            clinic_phone=as_written(person.site.phone_number),
            caller_name=caller.split()[0],
            from_local=call.first_slot.from_at.astimezone(person.zone),
            until_local=call.first_slot.until_at.astimezone(person.zone),
        ),
        built_in(TextName.REMINDER, known_language(person.language)),
    )
