"""The words in which outcomes and parts of the queue are shown."""

from flask_babel import lazy_gettext as _l

from outreach.calls.rules import Outcome, QueueGroup, Why
from outreach.measures.rules import Doubt

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
    Outcome.THIRD_PARTY: _l("Somebody else answered. You said nothing about the programme."),
    Outcome.WRONG_NUMBER: _l("The number is somebody else's. It is never dialled again."),
    Outcome.DISCONNECTED: _l("The number is not in use. It is never dialled again."),
}
DOUBT_WORDS = {
    Doubt.NOT_A_NUMBER: _l("Write a number."),
    Doubt.UNKNOWN_UNIT: _l("Choose a unit."),
    Doubt.NOT_WHOLE: _l("Write a whole number."),
    Doubt.LOOKS_LIKE_MMOL_L: _l("That looks like mmol/L. Check the unit."),
    Doubt.LOOKS_LIKE_MMOL_MOL: _l("That looks like mmol/mol. Check the unit."),
    Doubt.IMPOSSIBLE: _l("No body has this value. Check the number and the unit."),
    Doubt.UNUSUAL: _l("That is unusual. Read it back; if it is right, tick the box below."),
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
