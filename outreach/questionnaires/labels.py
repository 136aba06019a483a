"""The words around questionnaires. The items' own words are the instrument's."""

from flask_babel import lazy_gettext as _l

from outreach.questionnaires.rules import Gap, Instrument, InstrumentCode, Review

_TWO_WEEKS = _l("Over the last 2 weeks, how often have you been bothered by this?")
INTRODUCTIONS = {
    InstrumentCode.PHQ_2: _TWO_WEEKS,
    InstrumentCode.PHQ_9: _TWO_WEEKS,
    InstrumentCode.GAD_7: _TWO_WEEKS,
    InstrumentCode.PEG: _l("From 0, no pain or no interference, to 10, the worst there can be."),
    InstrumentCode.PAIN: _l("From 0, no pain, to 10, the worst there can be."),
}
FREQUENCIES = (
    _l("Not at all"),
    _l("Several days"),
    _l("More than half the days"),
    _l("Nearly every day"),
)
GAP_WORDS = {
    Gap.TOO_MANY_MISSING: _l("No score: too many questions have no answer."),
    Gap.SAFETY_ITEM_MISSING: _l("Not assessed: the last question has no answer. A nurse will ask."),
    Gap.NO_INDEX: _l("A profile, without a score: that needs the value set of a country."),
}
REVIEW_WORDS = {
    Review.NOW: _l("A nurse is being told now. Stay on the line."),
    Review.SAME_DAY: _l("A nurse will look at this today."),
    Review.TWO_BUSINESS_DAYS: _l("A nurse will look at this within two working days."),
    Review.NEXT_CONTACT: _l("Tell the clinic at the next contact."),
}


def introduction(instrument: Instrument) -> str:
    """Return what is said before the first question."""
    return instrument.introduction or str(INTRODUCTIONS.get(instrument.code, ""))
