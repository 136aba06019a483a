"""The words in which the fate of a text is shown: words and the kind of tag."""

from flask_babel import lazy_gettext as _l

from outreach.messaging.models import Message
from outreach.messaging.rules import LETTERS, MessageKind, MessageStatus, SkipReason, TryResult
from outreach.telephony.gateway import DeliveryStatus

KIND_WORDS = {
    MessageKind.REMINDER: _l("reminder of a call"),
    MessageKind.CALLBACK_CONFIRMED: _l("confirmation of an agreed time"),
    MessageKind.MISSED_YOU: _l("we tried to reach you"),
    MessageKind.THANK_YOU: _l("thank-you after a choice of rhythm"),
    MessageKind.MEASUREMENT_DUE: _l("time to measure something"),
    MessageKind.ALERT: _l("alert to staff"),
    MessageKind.DIGEST: _l("weekly word to managers"),
    MessageKind.DIGEST_EMAIL: _l("weekly word to managers by e-mail"),
    MessageKind.SUPPORT: _l("word to managers that a caller asks for support"),
    MessageKind.SUPPORT_EMAIL: _l("word to managers that a caller asks for support, by e-mail"),
    MessageKind.ANSWER: _l("answer that a person wrote"),
    MessageKind.CONFIRMED_REPLY: _l("answer: the time is confirmed"),
    MessageKind.OFFERED_SLOTS: _l("answer: other times"),
    MessageKind.NOT_UNDERSTOOD_REPLY: _l("answer: a person will read it"),
    MessageKind.HELP_REPLY: _l("answer to HELP"),
    MessageKind.STOP_REPLY: _l("answer to STOP"),
    MessageKind.START_REPLY: _l("answer to START"),
    MessageKind.DANGER_REPLY: _l("answer to danger"),
    MessageKind.READING_RECEIVED: _l("answer to a number they sent"),
    MessageKind.READING_QUESTION: _l("question whether numbers may be kept"),
}
STATUS_WORDS = {
    MessageStatus.SCHEDULED: (_l("waiting for its time"), "calm"),
    MessageStatus.CALLING: (_l("being sent"), "calm"),
    MessageStatus.UNKNOWN: (_l("no answer from the carrier, looking it up"), "warm"),
    MessageStatus.LOST: (_l("nobody knows whether it went out"), "warm"),
    MessageStatus.ACCEPTED: (_l("handed to the carrier"), "calm"),
    MessageStatus.SENT: (_l("sent"), "calm"),
    MessageStatus.DELIVERED: (_l("delivered"), "good"),
    MessageStatus.UNDELIVERED: (_l("not delivered"), "warm"),
    MessageStatus.FAILED: (_l("failed"), "warm"),
    MessageStatus.SKIPPED: (_l("not sent"), "calm"),
}
_TAKEN_LETTER = (_l("handed to the mail server"), "calm")
SKIP_WORDS = {
    SkipReason.NO_CONSENT: _l("no consent to texts on this number"),
    SkipReason.NUMBER_UNFIT: _l("the number does not work for texts"),
    SkipReason.TOO_LATE: _l("its time had passed"),
    SkipReason.CALL_CHANGED: _l("the call was moved or made"),
    SkipReason.WEEK_LIMIT: _l("enough texts that week already"),
    SkipReason.DAY_LIMIT: _l("enough texts that day already"),
    SkipReason.NOT_ENROLLED: _l("not in the programme then"),
    SkipReason.TAKEN_ON: _l("somebody had taken it on"),
    SkipReason.TAKEN_BACK: _l("what it was about had been taken back or corrected"),
    SkipReason.REACHED: _l("they had been reached meanwhile"),
    SkipReason.MEASURED: _l("it had been measured"),
}
TRY_WORDS = {
    TryResult.TAKEN: _l("the carrier took it"),
    TryResult.REFUSED: _l("the carrier refused it"),
    TryResult.NOT_TAKEN: _l("it was not taken; tried again later"),
    TryResult.NO_ANSWER: _l("no answer; nobody knew whether it went out"),
    TryResult.FOUND: _l("found in the carrier's list: it had gone out"),
    TryResult.NOT_FOUND: _l("not in the carrier's list, long after it was asked"),
}
REPORT_WORDS = {
    DeliveryStatus.ACCEPTED: _l("the carrier has it"),
    DeliveryStatus.SENT: _l("sent on to the network"),
    DeliveryStatus.DELIVERED: _l("delivered to the phone"),
    DeliveryStatus.UNDELIVERED: _l("not delivered"),
    DeliveryStatus.FAILED: _l("failed"),
}
# What the carrier's commonest codes mean; any other is shown as it is.
FAILURE_WORDS = {
    "21211": _l("not a telephone number"),
    "21606": _l("our own sender is not set up"),
    "21610": _l("said STOP to the carrier"),
    "21614": _l("a number that takes no texts"),
    "30003": _l("the phone was off or out of reach"),
    "30004": _l("blocked by the phone"),
    "30005": _l("no such phone any more"),
    "30006": _l("a landline, or a network that takes no texts"),
    "30007": _l("held back by a spam filter"),
    "30008": _l("lost on the way, no reason given"),
    "30034": _l("our sender is not registered"),
    "": _l("no reason given"),
}


def status_of(message: Message) -> tuple[object, str]:
    """Return what became of a text or an e-mail, and the kind of tag."""
    if message.kind in LETTERS and message.status is MessageStatus.ACCEPTED:
        return _TAKEN_LETTER
    return STATUS_WORDS[message.status]


def failure_words(failure: str) -> object:
    """Return what a failure means, with its code for whoever asks the carrier."""
    known = FAILURE_WORDS.get(failure)
    return known or failure
