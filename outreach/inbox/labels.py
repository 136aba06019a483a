"""The words in which it is shown what a text was taken for: words and the kind of tag."""

from flask_babel import lazy_gettext as _l

from outreach.inbox.rules import Understood

UNDERSTOOD = {
    Understood.DANGER: (_l("danger: the nurse was told"), "urgent"),
    Understood.STOP: (_l("no more texts"), "warm"),
    Understood.MAYBE_STOP: (_l("perhaps no more texts: they stopped, please ask"), "warm"),
    Understood.START: (_l("texts again"), "good"),
    Understood.HELP: (_l("asked who we are"), "calm"),
    Understood.CONFIRMED: (_l("confirmed the call"), "good"),
    Understood.ANOTHER_TIME: (_l("asked for another time, and was offered some"), "calm"),
    Understood.NO_TIME_FOUND: (_l("asks for another time: none was free"), "warm"),
    Understood.BOOKED: (_l("chose a time for the call"), "good"),
    Understood.SLOT_GONE: (_l("chose a time that was gone, and was offered others"), "calm"),
    Understood.READING: (_l("a reading, kept"), "good"),
    Understood.READING_ASKED: (_l("a reading, not kept: we asked whether we may"), "calm"),
    Understood.READING_UNCLEAR: (_l("perhaps a reading, not kept: please ask"), "warm"),
    Understood.READINGS_ALLOWED: (_l("agreed to send readings"), "good"),
    Understood.READINGS_REFUSED: (_l("does not want to send readings"), "calm"),
    Understood.COURTESY: (_l("thanks"), "calm"),
    Understood.NOT_UNDERSTOOD: (_l("for a person to read"), "warm"),
    Understood.SHARED_NUMBER: (_l("several patients have this number"), "warm"),
    Understood.UNKNOWN_NUMBER: (_l("number not known"), "warm"),
}
