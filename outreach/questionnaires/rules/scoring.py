"""How answers become scores, and what a score asks for. Pure. Source: domain.md C, C1, C4."""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


class InstrumentCode(enum.StrEnum):
    """The questionnaires we can score."""

    PHQ_2 = "phq2"
    PHQ_9 = "phq9"
    GAD_7 = "gad7"
    PEG = "peg"
    PAIN = "pain"
    DDS_2 = "dds2"
    DDS_17 = "dds17"
    UCLA_3 = "ucla3"
    CARE = "care"
    EQ_5D = "eq5d5l"
    PDSMS = "pdsms"
    SDSCA = "sdsca"
    PROQOL = "proqol"


class Method(enum.StrEnum):
    """How item answers become one score."""

    SUM = "sum"
    MEAN = "mean"
    PROFILE = "profile"
    PARTS = "parts"


class Gap(enum.StrEnum):
    """Why there is no score."""

    TOO_MANY_MISSING = "too many items without an answer"
    SAFETY_ITEM_MISSING = "the item about self-harm has no answer"
    NO_INDEX = "a profile without a value set"
    NO_TOTAL = "each part has its own score"


class Skip(enum.StrEnum):
    """Why an item that was asked has no answer. It counts as missing, never as 0."""

    DECLINED = "declined"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Item:
    """One question. ``text`` is empty where the wording is licensed. Answers: low to high."""

    number: int
    loinc: str
    text: str


@dataclass(frozen=True)
class Band:
    """Scores from ``from_score`` on, up to the next band."""

    from_score: Decimal
    name: str


@dataclass(frozen=True)
class Part:
    """Some items of a questionnaire that are scored by themselves, by ``method``.

    All of them must be answered: no source prorates a part.
    """

    code: str
    items: tuple[int, ...]
    method: Method
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True)
class Instrument:
    """One questionnaire: its items, the answers each may have, and how it is scored.

    ``most_missing`` items may be without an answer: their sum is then prorated, and marked.
    ``safety_item`` is never inferred: without its answer there is no score at all.
    ``turned`` are the numbers of items that are scored from high to low. ``parts`` have scores
    of their own. ``difficulty`` asks how hard the problems make life: after the others, where any
    of them is a problem, and never scored. ``is_for_staff``: people answer it about themselves;
    no patient is asked.
    ``unverified`` says what of this row is from memory (marked [M] in domain.md).
    ``introduction`` and ``answer_words`` come with the wording of a licensed one.
    """

    code: InstrumentCode
    name: str
    loinc: str
    items: tuple[Item, ...]
    answers: tuple[int, int]
    method: Method
    bands: tuple[Band, ...] = ()
    most_missing: int = 0
    safety_item: int | None = None
    turned: frozenset[int] = frozenset()
    parts: tuple[Part, ...] = ()
    difficulty: Item | None = None
    is_for_staff: bool = False
    is_licensed: bool = False
    unverified: str = ""
    introduction: str = ""
    answer_words: tuple[str, ...] = ()

    @property
    def every_item(self) -> tuple[Item, ...]:
        """All that may be asked, what is never scored at the end."""
        return self.items if self.difficulty is None else (*self.items, self.difficulty)

    def asked_after(self, answers: Mapping[int, int]) -> tuple[Item, ...]:
        """Return what is asked of whoever gave ``answers`` so far."""
        is_any = any(answers.get(item.number, 0) > 0 for item in self.items)
        return self.every_item if is_any else self.items

    def told_of(self, said: Collection[int]) -> tuple[Item, ...]:
        """Return what is told later: every scored item, the others where something was said."""
        return tuple(item for item in self.every_item if item in self.items or item.number in said)

    def count_seen(self, answers: Collection[int], skipped: Collection[int]) -> int:
        """Return how many of the scored items were asked: what 'of 9' goes with."""
        return sum(item.number in answers or item.number in skipped for item in self.items)

    def allows(self, answer: int) -> bool:
        """Say whether ``answer`` is one that an item of this questionnaire may have."""
        return self.answers[0] <= answer <= self.answers[1]

    def band_of(self, score: Decimal) -> str | None:
        """Return the name of the band that ``score`` lies in, where there are any."""
        return _band(self.bands, score)

    def counts_as(self, number: int, answer: int) -> int:
        """Return what an answer to an item adds to a score: turned round where the item is."""
        return sum(self.answers) - answer if number in self.turned else answer


def _band(bands: tuple[Band, ...], score: Decimal) -> str | None:
    names = [band.name for band in bands if score >= band.from_score]
    return names[-1] if names else None


@dataclass(frozen=True)
class Score:
    """What came of the answers: a value, or the reason why there is none.

    ``missing`` are the numbers of items without an answer; ``is_prorated`` means that the
    value was estimated from the others.
    """

    value: Decimal | None
    band: str | None
    missing: tuple[int, ...]
    is_prorated: bool
    gap: Gap | None


@dataclass(frozen=True)
class PartScore:
    """What came of one part: no value where an item of it has no answer."""

    part: Part
    value: Decimal | None
    band: str | None


def score(instrument: Instrument, answers: Mapping[int, int]) -> Score:
    """Return the score of ``answers``: item number to answer; an item left out is missing.

    A missing answer never counts as 0.

    Raises:
        ValueError: an answer, or the number of an item, is none of this questionnaire's.
    """
    known = {item.number for item in instrument.every_item}
    for number, answer in answers.items():
        if number not in known or not instrument.allows(answer):
            raise ValueError(f"{instrument.name} has no answer {answer} to item {number}")
    numbers = [item.number for item in instrument.items]
    missing = tuple(number for number in numbers if number not in answers)
    gap = _gap(instrument, missing)
    if gap is not None:
        return Score(None, None, missing, is_prorated=False, gap=gap)
    value = _value(instrument, {n: answers[n] for n in numbers if n in answers})
    return Score(value, instrument.band_of(value), missing, is_prorated=bool(missing), gap=None)


def _gap(instrument: Instrument, missing: tuple[int, ...]) -> Gap | None:
    if instrument.safety_item in missing:
        return Gap.SAFETY_ITEM_MISSING
    if instrument.method is Method.PARTS:
        is_any = any(not set(part.items) & set(missing) for part in instrument.parts)
        return Gap.NO_TOTAL if is_any else Gap.TOO_MANY_MISSING
    if len(missing) > instrument.most_missing:
        return Gap.TOO_MANY_MISSING
    return Gap.NO_INDEX if instrument.method is Method.PROFILE else None


def part_scores(instrument: Instrument, answers: Mapping[int, int]) -> list[PartScore]:
    """Return the score of each part of a questionnaire, in its order."""
    found = []
    for part in instrument.parts:
        value = None
        if set(part.items) <= set(answers):
            of_part = {number: answers[number] for number in part.items}
            value = _of(part.method, len(part.items), instrument, of_part)
        band = None if value is None else _band(part.bands, value)
        found.append(PartScore(part, value, band))
    return found


def profile(instrument: Instrument, answers: Mapping[int, int]) -> str:
    """Return the answers side by side, as an EQ-5D is written: '21-32', '-' where there is none.

    Its index needs the value set of a country, which we have not; source: domain.md C.
    """
    return "".join(str(answers.get(item.number, "-")) for item in instrument.items)


PHQ_2_POSITIVE = SCREENER_POSITIVE = 3  # PHQ-2: domain.md C; DDS-2: C4
# A screener that is positive asks for the whole questionnaire. Source: domain.md C and C4.
FOLLOWS: Mapping[InstrumentCode, InstrumentCode] = {
    InstrumentCode.PHQ_2: InstrumentCode.PHQ_9,
    InstrumentCode.DDS_2: InstrumentCode.DDS_17,
}


def first_open(instrument: Instrument, seen: Collection[int]) -> int | None:
    """Return the first item neither answered nor skipped; None where all of them are ``seen``.

    What is never scored keeps nothing from its end.
    """
    return next((item.number for item in instrument.items if item.number not in seen), None)


def next_to_ask(
    instrument: Instrument, answers: Mapping[int, int], skipped: Collection[int]
) -> int | None:
    """Return the item to ask next, what is never scored last; None where all were asked."""
    seen = {*answers, *skipped}
    asked = instrument.asked_after(answers)
    return next((item.number for item in asked if item.number not in seen), None)


def asks_for(code: InstrumentCode, value: Decimal | None) -> InstrumentCode | None:
    """Return the questionnaire that a score of 3 or more on a screener asks for."""
    if value is None or value < SCREENER_POSITIVE:
        return None
    return FOLLOWS.get(code)


def _value(instrument: Instrument, answers: Mapping[int, int]) -> Decimal:
    return _of(instrument.method, len(instrument.items), instrument, answers)


def _of(method: Method, count: int, instrument: Instrument, answers: Mapping[int, int]) -> Decimal:
    """Return the sum, prorated to ``count`` items, or the mean of what was answered."""
    counted = (instrument.counts_as(number, answer) for number, answer in answers.items())
    total = Decimal(sum(counted))
    if method is Method.MEAN:
        return (total / len(answers)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return (total * count / len(answers)).quantize(Decimal(1), ROUND_HALF_UP)


class Review(enum.StrEnum):
    """How soon somebody of the clinic must look at a score. Source: domain.md C1."""

    NOW = "now"
    SAME_DAY = "same day"
    TWO_BUSINESS_DAYS = "two business days"
    NEXT_CONTACT = "next contact"


_PHQ_9_REVIEWS = ((20, Review.SAME_DAY), (15, Review.TWO_BUSINESS_DAYS), (10, Review.NEXT_CONTACT))
_GAD_7_POSITIVE = 10


def review_of(instrument: Instrument, answers: Mapping[int, int]) -> Review | None:
    """Return how soon the answers must be looked at, None where they need not be.

    Any answer above 0 to the item about self-harm is urgent, whatever the score, and whether
    or not there is one.
    """
    if instrument.safety_item and answers.get(instrument.safety_item, 0) > 0:
        return Review.NOW
    value = score(instrument, answers).value
    if value is None:
        return None
    if instrument.code is InstrumentCode.PHQ_9:
        return next((review for floor, review in _PHQ_9_REVIEWS if value >= floor), None)
    if instrument.code is InstrumentCode.GAD_7 and value >= _GAD_7_POSITIVE:
        return Review.NEXT_CONTACT
    return None
