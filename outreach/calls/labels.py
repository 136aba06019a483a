"""The words in which outcomes and parts of the queue are shown."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from outreach.calls.foreseen import Foreseen
from outreach.calls.openers import Opener, OpenerKind
from outreach.calls.queue import Entry
from outreach.calls.rules import AskedBy, Outcome, QueueGroup, Rest, Why
from outreach.clock import local_day
from outreach.messaging.rules import SkipReason
from outreach.patients.models import Patient
from outreach.patients.rules import Daypart, Slot, daypart_of
from outreach.phoning import templates
from outreach.planning.rules import Contact
from outreach.telephony.gateway import Words
from outreach.web.phones import as_written
from outreach.web.template_filters import calendar_day, local_time, local_weekday

OUTCOME_WORDS = {
    Outcome.COMPLETED: _l("We talked"),
    Outcome.CALL_BACK: _l("Asked for another time"),
    Outcome.DECLINED_TODAY: _l("Not today"),
    Outcome.SAFETY: _l("Safety concern"),
    Outcome.OPTED_OUT: _l("Wants no more calls"),
    Outcome.NO_ANSWER: _l("No answer"),
    Outcome.VOICEMAIL_LEFT: _l("Left a voicemail"),
    Outcome.VOICEMAIL_NOT_ALLOWED: _l("Voicemail, left nothing"),
    Outcome.BUSY: _l("Busy"),
    Outcome.THIRD_PARTY: _l("Someone else answered"),
    Outcome.WRONG_NUMBER: _l("Wrong number"),
    Outcome.DISCONNECTED: _l("Number disconnected"),
}
# One key each; the letters of the words where they were free. 1 and 2 ask reached or not.
OUTCOME_KEYS = {
    Outcome.COMPLETED: "1",
    Outcome.CALL_BACK: "t",
    Outcome.DECLINED_TODAY: "d",
    Outcome.SAFETY: "s",
    Outcome.OPTED_OUT: "x",
    Outcome.NO_ANSWER: "2",
    Outcome.VOICEMAIL_LEFT: "v",
    Outcome.VOICEMAIL_NOT_ALLOWED: "m",
    Outcome.BUSY: "b",
    Outcome.THIRD_PARTY: "o",
    Outcome.WRONG_NUMBER: "w",
    Outcome.DISCONNECTED: "k",
}
OUTCOME_MEANINGS = {
    Outcome.COMPLETED: _l("You spoke with the patient, however briefly. The next call is planned."),
    Outcome.CALL_BACK: _l("The patient named another time. The call moves there."),
    Outcome.DECLINED_TODAY: _l("The patient answered and did not want to talk today."),
    Outcome.SAFETY: _l(
        "Something worries you. It counts as a conversation; a nurse reads your note."
    ),
    Outcome.OPTED_OUT: _l("The patient wants no more calls. Calls and texts end at once."),
    Outcome.NO_ANSWER: _l("It rang, and nobody answered."),
    Outcome.VOICEMAIL_LEFT: _l("You left your name and the clinic's number, nothing else."),
    Outcome.VOICEMAIL_NOT_ALLOWED: _l("A machine answered, and you left nothing."),
    Outcome.BUSY: _l("The line was busy."),
    Outcome.THIRD_PARTY: _l(
        "Somebody else answered. You said nothing about the programme; they may name a time."
    ),
    Outcome.WRONG_NUMBER: _l("The number is somebody else's. It is never dialled again."),
    Outcome.DISCONNECTED: _l("The number is not in use. It is never dialled again."),
}
GROUP_WORDS = {
    QueueGroup.NOW: _l("Call now"),
    QueueGroup.LATER: _l("Later today"),
    QueueGroup.NUMBER_TO_FIX: _l("Number to fix"),
    QueueGroup.PROMISED: _l("Promised for today"),
    QueueGroup.COMING: _l("Coming days"),
}
WHY_WORDS = {
    Why.SAFETY: (_l("a nurse answered a concern"), "urgent"),
    Why.AGREED: (_l("asked for this time"), "warm"),
    Why.AGREED_PASSED: (_l("the time they asked for has passed"), "warm"),
    Why.LAST_DAY: (_l("last day for this call"), "warm"),
    Why.CLOSES_SOON: (_l("closes within the hour"), "warm"),
    Why.PROMISE_DUE: (_l("a promise is due"), "warm"),
    Why.MISSED_TWICE: (_l("last two calls were missed"), "warm"),
    Why.MISSED_LAST: (_l("last call was missed"), "calm"),
    Why.FIRST_CALL: (_l("first call"), "good"),
    Why.TRIED_BEFORE: (_l("tried before"), "calm"),
    Why.DUE: (_l("due"), "calm"),
}
ASKED_WORDS = {
    AskedBy.PATIENT: _l("The patient asked for this time, on the call of"),
    AskedBy.HOUSEHOLD: _l("Somebody else at their number named this time, on the call of"),
    AskedBy.BY_TEXT: _l("The patient chose this time by text"),
}
REST_WORDS = {
    Rest.TRIED: _l("tried %(n)s of %(most)s times today"),
    Rest.HOURS: _l("outside calling hours there"),
}
PART_OF_DAY_WORDS = {
    Daypart.MORNING: _l("morning"),
    Daypart.AFTERNOON: _l("afternoon"),
    Daypart.EVENING: _l("evening"),
}
NEAR = timedelta(days=6)  # within it a weekday alone says which day is meant


def slot_words(slot: Slot, zone: ZoneInfo, *, now: datetime) -> str:
    """Return when to try again, on the patient's clock: 'Thu afternoon', 'today from 6:40 PM'."""
    day, today = local_day(slot.from_at, zone), local_day(now, zone)
    if day == today:
        return str(_("today from %(time)s", time=local_time(slot.from_at, zone)))
    if day - today > NEAR:
        return day_words(slot, zone)
    return _with_part(local_weekday(slot.from_at, zone), slot, zone, _("%(day)s %(part)s"))


def day_words(slot: Slot, zone: ZoneInfo) -> str:
    """Return the day of a slot, and its part where it is one: 'Tue, Dec 1, afternoon'."""
    day = calendar_day(local_day(slot.from_at, zone))
    return _with_part(day, slot, zone, _("%(day)s, %(part)s"))


def _with_part(day: str, slot: Slot, zone: ZoneInfo, form: str) -> str:
    part = daypart_of(slot.from_at, zone)
    is_one_part = part is daypart_of(slot.until_at - timedelta(minutes=1), zone)
    return form % {"day": day, "part": PART_OF_DAY_WORDS[part]} if is_one_part else day


def next_call_words(contact: Contact | None, zone: ZoneInfo) -> str:
    """Return when the next call is: 'next call Tue, Dec 1, afternoon'."""
    if contact is None:
        return str(_("no call is left in the programme"))
    return str(_("next call %(when)s", when=day_words(contact.slot, zone)))


def what_follows(foreseen: Foreseen, zone: ZoneInfo, *, now: datetime) -> dict[Outcome, str]:
    """Return what each outcome does next, to be said before it is chosen."""
    after = next_call_words(foreseen.after, zone)

    def tried(slot: Slot | None) -> str:
        if slot is not None:
            return str(_("try again %(when)s", when=slot_words(slot, zone, now=now)))
        instead = next_call_words(foreseen.instead, zone)
        return str(_("counts as missed; %(then)s", then=instead))

    again = tried(foreseen.again)
    number = str(_("this number is never dialled again"))
    return {
        Outcome.COMPLETED: after,
        Outcome.CALL_BACK: str(_("the call moves to the time they name")),
        Outcome.DECLINED_TODAY: tried(foreseen.tomorrow),
        Outcome.SAFETY: str(_("a nurse is told now; %(then)s", then=after)),
        Outcome.OPTED_OUT: str(_("calls and texts end at once")),
        Outcome.NO_ANSWER: again,
        Outcome.VOICEMAIL_LEFT: again,
        Outcome.VOICEMAIL_NOT_ALLOWED: again,
        Outcome.BUSY: again,
        Outcome.THIRD_PARTY: str(_("%(then)s, or at a time they name", then=again)),
        Outcome.WRONG_NUMBER: number,
        Outcome.DISCONNECTED: number,
    }


# Their words name the next call, which a pause or an end chosen beside them takes away.
SAYS_NEXT_CALL = frozenset(Outcome) - {
    Outcome.OPTED_OUT,
    Outcome.WRONG_NUMBER,
    Outcome.DISCONNECTED,
}
OPENER_WORDS = {
    OpenerKind.PROMISE: _l("You said you would: “%(topic)s”."),
    OpenerKind.LAST_TIME: _l("Last time: “%(topic)s”. You might ask how it goes."),
    OpenerKind.GOAL: _l("Their goal: “%(topic)s”. You might ask how it goes."),
    OpenerKind.ABOUT: _l("What matters to them: “%(topic)s”."),
}


def outcome_words(outcome: Outcome) -> str:
    """Return what a call came to, in words."""
    return str(OUTCOME_WORDS[outcome])


def why_words(why: Why) -> tuple[str, str]:
    """Return a reason in words, and the tone of its tag."""
    said, tone = WHY_WORDS[why]
    return str(said), tone


def rest_words(entry: Entry) -> str:
    """Return why a call rests, in words."""
    if entry.rest is None or entry.rest is Rest.SAID:
        return entry.hidden_because or ""
    return str(REST_WORDS[entry.rest]) % {"n": entry.tried_today, "most": entry.tries_a_day}


def opener_words(opener: Opener) -> str:
    """Return an opener as a caller reads it."""
    return str(OPENER_WORDS[opener.kind]) % {"topic": opener.topic}


def voicemail_words(patient: Patient, caller_name: str) -> Words:
    """Return the neutral voicemail that ``caller_name`` speaks, and in which language."""
    return templates.voicemail(
        patient.language,
        patient=patient.called,
        caller=caller_name.split(" ", maxsplit=1)[0],
        phone=as_written(patient.clinic.phone_number),
    )


# Why "we tried to reach you" is not offered.
WHY_NO_TEXT = {
    SkipReason.NO_CONSENT: _l("No text to say that we tried: they have not agreed to such texts."),
    SkipReason.NUMBER_UNFIT: _l("No text to say that we tried: their number takes no texts."),
    SkipReason.NOT_ENROLLED: _l("No text to say that we tried: they are not in the programme."),
    SkipReason.DAY_LIMIT: _l("No text to say that we tried: they had a text today, or one comes."),
    SkipReason.WEEK_LIMIT: _l("No text to say that we tried: they had enough texts this week."),
    SkipReason.TOO_LATE: _l("No text to say that we tried: it is too late in their day."),
}
