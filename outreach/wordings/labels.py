"""What texts, and what is wrong with their words, are called."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.wordings.rules import ANSWERS, UNASKED, TextName
from outreach.wordings.rules.linting import MOST_MESSAGES, Fault, Finding

NAMES: dict[TextName, LazyString] = {
    TextName.REMINDER: _l("Reminder of a planned call"),
    TextName.REMINDER_AGREED: _l("Reminder of a call-back they asked for"),
    TextName.CALLBACK_CONFIRMED: _l("Confirmation of a call-back, right after they asked"),
    TextName.MISSED_YOU: _l("We tried to reach you"),
    TextName.THANK_YOU: _l("Thanks, with the rhythm they chose"),
    TextName.MEASUREMENT_DUE: _l("Time to measure something"),
    TextName.CONFIRMED_REPLY: _l("They confirm, or chose a time"),
    TextName.OFFERED_SLOTS: _l("They ask for another time: times to choose from"),
    TextName.OFFERED_AGAIN: _l("The time they chose is taken: other times"),
    TextName.NO_TIME_FOUND: _l("They ask for another time, and none is free"),
    TextName.NOT_UNDERSTOOD_REPLY: _l("We don't understand: a person will read it"),
    TextName.HELP_REPLY: _l("They write HELP"),
    TextName.STOP_REPLY: _l("They stop texts"),
    TextName.START_REPLY: _l("They want texts again"),
    TextName.DANGER_REPLY: _l("They may be in danger"),
    TextName.READING_RECEIVED: _l("They send a number, and it is kept"),
    TextName.READING_URGENT: _l("They send a number that a nurse must see"),
    TextName.READING_QUESTION: _l("They send a number, and have not agreed to that yet"),
    TextName.READINGS_REFUSED: _l("They don't want their numbers kept"),
}

# The parts of the page, in the order in which they stand there.
GROUPS: tuple[tuple[LazyString, tuple[TextName, ...]], ...] = (
    (_l("What we send"), UNASKED),
    (_l("What we answer"), ANSWERS),
)
# What a writer must know before changing one.
NOTES: dict[TextName, LazyString] = {
    TextName.DANGER_REPLY: _l(
        "It goes out at any hour, also after STOP. The numbers to ring stay in it."
    ),
    TextName.READING_URGENT: _l("The number for an emergency stays in it."),
    TextName.READING_QUESTION: _l("1 has to mean yes, and 2 no."),
    TextName.OFFERED_SLOTS: _l("{times} are numbered: patients answer with a number."),
    TextName.OFFERED_AGAIN: _l("{times} are numbered: patients answer with a number."),
    TextName.REMINDER: _l("C or 1 confirms, 2 asks for another time."),
    TextName.REMINDER_AGREED: _l("C or 1 confirms, 2 asks for another time."),
}

_FAULTS: dict[Fault, LazyString] = {
    Fault.EMPTY: _l("Enter the words of the text."),
    Fault.UNKNOWN_PLACEHOLDER: _l("There is no {%(about)s}: use one of the names listed below."),
    Fault.MISSING_PLACEHOLDER: _l("{%(about)s} has to be in it."),
    Fault.STRAY_BRACE: _l("A brace { or } stands alone: braces are for names like {clinic}."),
    Fault.NO_STOP: _l("Say how to stop: Reply STOP to get no more texts."),
    Fault.MISSING_WORD: _l("%(about)s has to be in it: the answer would not work without."),
    Fault.HEALTH: _l("“%(about)s” says something about health: others may read this telephone."),
    Fault.RESULT: _l("“%(about)s” looks like a result."),
    Fault.KEYWORD: _l(
        "“%(about)s” as an answer changes what the carrier lets through. Ask for C, 1 or 2 instead."
    ),
    Fault.LINK: _l("“%(about)s” is not an address of this clinic."),
    Fault.TOO_LONG: _l("Too long: it would go out as more than %(most)s messages."),
}


def said(finding: Finding) -> str:
    """Return what is wrong, in a sentence that says what to do."""
    return _(str(_FAULTS[finding.fault]), about=finding.about, most=MOST_MESSAGES)
