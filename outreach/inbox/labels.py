"""The words in which it is shown what we took a text for: words and the kind of tag."""

from flask_babel import lazy_gettext as _l

from outreach.inbox.rules import Understood

UNDERSTOOD = {
    Understood.DANGER: (_l("may be in danger: a nurse was told"), "urgent"),
    Understood.STOP: (_l("wants no more texts"), "warm"),
    Understood.MAYBE_STOP: (_l("may want no more texts: we stopped them"), "warm"),
    Understood.START: (_l("wants texts again"), "good"),
    Understood.HELP: (_l("asked who we are"), "calm"),
    Understood.CONFIRMED: (_l("confirmed the call"), "good"),
    Understood.ANOTHER_TIME: (_l("wants another time: we offered some"), "calm"),
    Understood.NO_TIME_FOUND: (_l("wants another time: none was free"), "warm"),
    Understood.BOOKED: (_l("chose a time: booked"), "good"),
    Understood.SLOT_GONE: (_l("chose a time that was gone: we offered others"), "calm"),
    Understood.READING: (_l("sent a reading"), "good"),
    Understood.READING_ASKED: (_l("sent a reading: we asked whether to keep it"), "calm"),
    Understood.READING_UNCLEAR: (_l("sent a reading that is not clear"), "warm"),
    Understood.READINGS_ALLOWED: (_l("agreed to send readings"), "good"),
    Understood.READINGS_REFUSED: (_l("does not want readings kept"), "calm"),
    Understood.COURTESY: (_l("said thanks"), "calm"),
    Understood.NOT_UNDERSTOOD: (_l("for you to read"), "calm"),
    Understood.SHARED_NUMBER: (_l("several patients have this number"), "warm"),
    Understood.UNKNOWN_NUMBER: (_l("number not known"), "warm"),
}
