"""The words in which the fate of a text is shown: words and the kind of tag."""

from flask_babel import lazy_gettext as _l

from outreach.messaging.rules import MessageStatus, SkipReason

STATUS_WORDS = {
    MessageStatus.SCHEDULED: (_l("waiting for its time"), "calm"),
    MessageStatus.CALLING: (_l("being sent"), "calm"),
    MessageStatus.UNKNOWN: (_l("no answer from the carrier, looking it up"), "warm"),
    MessageStatus.ACCEPTED: (_l("handed to the carrier"), "calm"),
    MessageStatus.SENT: (_l("sent"), "calm"),
    MessageStatus.DELIVERED: (_l("delivered"), "good"),
    MessageStatus.UNDELIVERED: (_l("not delivered"), "warm"),
    MessageStatus.FAILED: (_l("failed"), "warm"),
    MessageStatus.SKIPPED: (_l("not sent"), "calm"),
}
SKIP_WORDS = {
    SkipReason.NO_CONSENT: _l("no consent to texts on this number"),
    SkipReason.NUMBER_UNFIT: _l("the number does not work for texts"),
    SkipReason.TOO_LATE: _l("its time had passed"),
    SkipReason.CALL_CHANGED: _l("the call was moved or made"),
    SkipReason.WEEK_LIMIT: _l("three texts that week already"),
    SkipReason.DAY_LIMIT: _l("one text that day already"),
    SkipReason.NOT_ENROLLED: _l("not in the programme then"),
    SkipReason.TAKEN_ON: _l("somebody had taken it on"),
}
