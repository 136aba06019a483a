"""The words around questionnaires. The items' own words are the instrument's."""

from collections.abc import Mapping, Sequence

from flask_babel import lazy_gettext as _l

from outreach.questionnaires.rules import Gap, Instrument, InstrumentCode, Review, Skip

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
DIFFICULTIES = (
    _l("Not difficult at all"),
    _l("Somewhat difficult"),
    _l("Very difficult"),
    _l("Extremely difficult"),
)
_BY_FREQUENCY = (InstrumentCode.PHQ_2, InstrumentCode.PHQ_9, InstrumentCode.GAD_7)
SKIP_WORDS = {
    Skip.DECLINED: _l("They'd rather not say"),
    Skip.UNSURE: _l("They can't say"),
}
# One key each while a questionnaire is asked on a call.
SKIP_KEYS = {Skip.DECLINED: "d", Skip.UNSURE: "u"}
GAP_WORDS = {
    Gap.TOO_MANY_MISSING: _l("No score: too many questions have no answer."),
    Gap.SAFETY_ITEM_MISSING: _l("Not assessed: the last question has no answer. A nurse will ask."),
    Gap.NO_INDEX: _l("A profile, without a score: that needs the value set of a country."),
    Gap.NO_TOTAL: _l("No total: each part has its own."),
}
PART_WORDS = {
    "emotional": _l("Emotional burden"),
    "physician": _l("Distress with the physician"),
    "regimen": _l("Distress with the regimen"),
    "interpersonal": _l("Distress with other people"),
    "general_diet": _l("Days of healthy eating"),
    "specific_diet": _l("Days of fruit and vegetables, and without fatty food"),
    "exercise": _l("Days of exercise"),
    "testing": _l("Days of testing blood sugar"),
    "feet": _l("Days of foot care"),
    "satisfaction": _l("Compassion satisfaction"),
    "burnout": _l("Burnout"),
    "secondary_stress": _l("Secondary traumatic stress"),
}
REVIEW_WORDS = {
    Review.SAME_DAY: _l("A nurse will look at this today."),
    Review.TWO_BUSINESS_DAYS: _l("A nurse will look at this within two working days."),
    Review.NEXT_CONTACT: _l("Tell the clinic at the next contact."),
}


NOT_ASKED = _l("not asked")


def said(
    instrument: Instrument, number: int, given: Mapping[int, int], skipped: Mapping[int, Skip]
) -> str:
    """Return what was said to a question: '2 More than half the days', or why nothing was."""
    if number not in given:
        return str(SKIP_WORDS[skipped[number]] if number in skipped else NOT_ASKED)
    return f"{given[number]} {meaning(instrument, number, given[number])}".strip()


def meaning(instrument: Instrument, number: int, answer: int) -> str:
    """Return the words of an answer: 'More than half the days'; nothing of plain numbers."""
    figure, words = answers_of(instrument, number)[answer - instrument.answers[0]]
    return "" if words == figure else words


def scale(instrument: Instrument) -> str:
    """Return what the figures mean: '0 Not at all · 1 Several days …'; nothing of plain numbers."""
    worded = [each for each in answers_of(instrument) if each[0] != each[1]]
    return " · ".join(f"{figure} {words}" for figure, words in worded)


def introduction(instrument: Instrument) -> str:
    """Return what is said before the first question."""
    return instrument.introduction or str(INTRODUCTIONS.get(instrument.code, ""))


def answers_of(instrument: Instrument, number: int | None = None) -> Sequence[tuple[str, str]]:
    """Return the answers that an item may have, from low to high: figure and words."""
    low, high = instrument.answers
    if instrument.difficulty and instrument.difficulty.number == number:
        return [(str(answer), str(each)) for answer, each in enumerate(DIFFICULTIES, start=low)]
    words = instrument.answer_words
    if not words and instrument.code in _BY_FREQUENCY:
        words = tuple(str(each) for each in FREQUENCIES)
    if not words:
        return [(str(answer), str(answer)) for answer in range(low, high + 1)]
    return [(str(answer), each) for answer, each in enumerate(words, start=low)]
