"""What texts, and what is wrong with their words, are called."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.wordings.rules import TextName
from outreach.wordings.rules.linting import MOST_MESSAGES, Fault, Finding

NAMES: dict[TextName, LazyString] = {
    TextName.REMINDER: _l("Reminder of a planned call"),
    TextName.REMINDER_AGREED: _l("Reminder of a call-back they asked for"),
    TextName.CALLBACK_CONFIRMED: _l("Confirmation of a call-back, right after they asked"),
    TextName.MISSED_YOU: _l("We tried to reach you"),
    TextName.THANK_YOU: _l("Thanks, with the rhythm they chose"),
    TextName.MEASUREMENT_DUE: _l("Time to measure something"),
}

_FAULTS: dict[Fault, LazyString] = {
    Fault.EMPTY: _l("Enter the words of the text."),
    Fault.UNKNOWN_PLACEHOLDER: _l("There is no {%(about)s}: use one of the names listed below."),
    Fault.MISSING_PLACEHOLDER: _l("{%(about)s} has to be in it."),
    Fault.STRAY_BRACE: _l("A brace { or } stands alone: braces are for names like {clinic}."),
    Fault.NO_STOP: _l("Say how to stop: Reply STOP to get no more texts."),
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
