"""What a text from a patient means, given what we asked last. Pure.

``words`` makes texts comparable, ``keywords``, ``danger`` and ``sugar`` read them, ``slots``
finds times to offer; here it is put together.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from outreach.concerns.rules import ConcernKind
from outreach.inbox.rules import keywords
from outreach.inbox.rules.danger import danger_in
from outreach.inbox.rules.keywords import Stop
from outreach.inbox.rules.sugar import Sugar, Unclear, sugar_in
from outreach.inbox.rules.words import is_reaction

# An answer to an offer made yesterday morning may still come; after that a number says nothing.
OFFER_HOLDS = timedelta(hours=36)
QUESTION_HOLDS = timedelta(hours=36)
# An automatic reply that comes late answers nothing; a stop is confirmed within five minutes.
REPLY_WITHIN = timedelta(minutes=15)
STOP_REPLY_WITHIN = timedelta(minutes=5)
FIRST, SECOND = 1, 2  # what the questions say: 1 for yes, 2 for another
LONGEST_BODY = 1600  # characters; what carriers take as one text
OPEN_FOR = timedelta(minutes=30)  # a setting says otherwise. Source: peers.md 59
OLD_AFTER = timedelta(days=1)  # a manager sees what has waited for longer


class Understood(enum.StrEnum):
    """What we took a text for."""

    DANGER = "danger"
    STOP = "stop"
    MAYBE_STOP = "maybe_stop"
    START = "start"
    HELP = "help"
    CONFIRMED = "confirmed"
    ANOTHER_TIME = "another_time"
    NO_TIME_FOUND = "no_time_found"
    BOOKED = "booked"
    SLOT_GONE = "slot_gone"
    READING = "reading"
    READING_ASKED = "reading_asked"
    READING_UNCLEAR = "reading_unclear"
    READINGS_ALLOWED = "readings_allowed"
    READINGS_REFUSED = "readings_refused"
    COURTESY = "courtesy"
    NOT_UNDERSTOOD = "not_understood"
    SHARED_NUMBER = "shared_number"
    UNKNOWN_NUMBER = "unknown_number"


class Asked(enum.StrEnum):
    """What we asked a patient by text."""

    CONFIRM = "confirm"
    SLOT = "slot"
    SEND_READINGS = "send_readings"


@dataclass(frozen=True)
class Question:
    """Something that we asked, until it is answered or ``expires_at`` has come."""

    asked: Asked
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Said:
    """What a text says, before anything is known of who sent it.

    ``is_carriers_start``: a start to the carrier alone. Our questions may be answered by it.
    """

    danger: ConcernKind | None
    stop: Stop
    is_start: bool
    is_help: bool
    is_carriers_start: bool = False


def said_in(text: str) -> Said:
    """Read a text for what counts whoever sent it."""
    if is_reaction(text) is not None:
        return Said(None, Stop.NO, is_start=False, is_help=False)
    return Said(
        danger_in(text),
        keywords.stop_in(text),
        keywords.is_start(text),
        keywords.is_help(text),
    )


def as_carrier_took(said: Said, text: str, taken_as: str) -> Said:
    """Return what ``text`` says, and what the carrier has already acted on: stop, start or help.

    Whatever its words are, the carrier sends nothing more after a stop. Its lists of words are
    the clinic's own setting, and may hold an answer to what we ask: most have YES as a start.
    """
    if taken_as == "stop":
        return replace(said, stop=Stop.YES)
    if taken_as == "start":
        return replace(said, is_carriers_start=not said.is_start)
    if taken_as == "help":
        return replace(said, is_help=said.is_help or not keywords.may_answer(text))
    return said


def question_at(asked: Sequence[Question], now: datetime) -> Question | None:
    """Return the question that a bare answer answers: the newest that still holds, or None."""
    holding = [each for each in asked if each.asked_at <= now < each.expires_at]
    return max(holding, key=lambda each: each.asked_at, default=None)


@dataclass(frozen=True)
class Meaning:
    """What a patient wants of us: ``choice`` is the number of an offered time."""

    understood: Understood
    choice: int | None = None
    sugar: Sugar | Unclear | None = None


def meaning_of(text: str, question: Question | None, *, sends_readings: bool, unit: str) -> Meaning:
    """Return what a text means that is no stop, start or help. Source: domain.md D.

    Args:
        text: as it came.
        question: what we asked last and still holds, see :func:`question_at`.
        sends_readings: the patient agreed to send blood sugar by text.
        unit: in which the clinic measures blood sugar.
    """
    reaction = is_reaction(text)
    if reaction is not None:
        return Meaning(Understood.COURTESY if reaction else Understood.NOT_UNDERSTOOD)
    choice = keywords.choice_in(text)
    answer = _answer(text, choice, question)
    if answer is not None:
        return answer
    if keywords.is_confirmation(text):
        return Meaning(Understood.CONFIRMED)
    if keywords.wants_another_time(text):
        return Meaning(Understood.ANOTHER_TIME)
    sugar = sugar_in(text, unit)
    if sugar is not None and (sugar.is_named or sends_readings):
        return _of_sugar(sugar, sends_readings=sends_readings)
    if keywords.is_courtesy(text):
        return Meaning(Understood.COURTESY)
    return Meaning(Understood.NOT_UNDERSTOOD)


def _answer(text: str, choice: int | None, question: Question | None) -> Meaning | None:
    """Return what a bare number, yes or no answers, None where it answers nothing."""
    if question is None:
        return None
    yes, no = keywords.is_yes(text), keywords.is_no(text)
    match question.asked:
        case Asked.SLOT if choice is not None:
            return Meaning(Understood.BOOKED, choice=choice)
        case Asked.CONFIRM if yes or choice == FIRST:
            return Meaning(Understood.CONFIRMED)
        case Asked.CONFIRM if no or choice == SECOND:
            return Meaning(Understood.ANOTHER_TIME)
        case Asked.SEND_READINGS if yes or choice == FIRST:
            return Meaning(Understood.READINGS_ALLOWED)
        case Asked.SEND_READINGS if no or choice == SECOND:
            return Meaning(Understood.READINGS_REFUSED)
    return None


def _of_sugar(sugar: Sugar | Unclear, *, sends_readings: bool) -> Meaning:
    if isinstance(sugar, Unclear):
        return Meaning(Understood.READING_UNCLEAR, sugar=sugar)
    if sends_readings:
        return Meaning(Understood.READING, sugar=sugar)
    return Meaning(Understood.READING_ASKED, sugar=sugar)
