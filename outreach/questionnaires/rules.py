"""Questionnaires with items: their texts, their scores and what a score asks for. Pure.

Source of items, codes, bands and missing-item rules: domain.md C and C1. PHQ-9, PHQ-2 and
GAD-7 need no permission (developed by Drs Spitzer, Williams, Kroenke and colleagues with an
educational grant from Pfizer Inc.). Licensed instruments have a scorer here and no text: an
administrator states the permission and gives the wording.
"""

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


class Method(enum.StrEnum):
    """How item answers become one score."""

    SUM = "sum"
    MEAN = "mean"
    PROFILE = "profile"


class Gap(enum.StrEnum):
    """Why there is no score."""

    TOO_MANY_MISSING = "too many items without an answer"
    SAFETY_ITEM_MISSING = "the item about self-harm has no answer"
    NO_INDEX = "a profile without a value set"


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
class Instrument:
    """One questionnaire: its items, the answers each may have, and how it is scored.

    ``most_missing`` items may be without an answer: their sum is then prorated, and marked.
    ``safety_item`` is never inferred: without its answer there is no score at all.
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
    is_licensed: bool = False
    unverified: str = ""
    introduction: str = ""
    answer_words: tuple[str, ...] = ()

    def allows(self, answer: int) -> bool:
        """Say whether ``answer`` is one that an item of this questionnaire may have."""
        return self.answers[0] <= answer <= self.answers[1]

    def band_of(self, score: Decimal) -> str | None:
        """Return the name of the band that ``score`` lies in, where there are any."""
        names = [band.name for band in self.bands if score >= band.from_score]
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


def score(instrument: Instrument, answers: Mapping[int, int]) -> Score:
    """Return the score of ``answers``: item number to answer; an item left out is missing.

    A missing answer never counts as 0.

    Raises:
        ValueError: an answer, or the number of an item, is none of this questionnaire's.
    """
    numbers = [item.number for item in instrument.items]
    for number, answer in answers.items():
        if number not in numbers or not instrument.allows(answer):
            raise ValueError(f"{instrument.name} has no answer {answer} to item {number}")
    missing = tuple(number for number in numbers if number not in answers)
    gap = _gap(instrument, missing)
    if gap is not None:
        return Score(None, None, missing, is_prorated=False, gap=gap)
    value = _value(instrument, answers)
    return Score(value, instrument.band_of(value), missing, is_prorated=bool(missing), gap=None)


def _gap(instrument: Instrument, missing: tuple[int, ...]) -> Gap | None:
    if instrument.safety_item in missing:
        return Gap.SAFETY_ITEM_MISSING
    if len(missing) > instrument.most_missing:
        return Gap.TOO_MANY_MISSING
    return Gap.NO_INDEX if instrument.method is Method.PROFILE else None


def profile(instrument: Instrument, answers: Mapping[int, int]) -> str:
    """Return the answers side by side, as an EQ-5D is written: '21-32', '-' where there is none.

    Its index needs the value set of a country, which we have not; source: domain.md C.
    """
    return "".join(str(answers.get(item.number, "-")) for item in instrument.items)


# A screener that is positive asks for the whole questionnaire. Source: domain.md C and C4.
FOLLOWS: Mapping[InstrumentCode, InstrumentCode] = {
    InstrumentCode.PHQ_2: InstrumentCode.PHQ_9,
    InstrumentCode.DDS_2: InstrumentCode.DDS_17,
}


def first_open(instrument: Instrument, seen: Collection[int]) -> int | None:
    """Return the first item neither answered nor skipped; None where all of them are ``seen``."""
    return next((item.number for item in instrument.items if item.number not in seen), None)


def asks_for(code: InstrumentCode, value: Decimal | None) -> InstrumentCode | None:
    """Return the questionnaire that a score of 3 or more on a screener asks for."""
    if value is None or value < SCREENER_POSITIVE:
        return None
    return FOLLOWS.get(code)


def _value(instrument: Instrument, answers: Mapping[int, int]) -> Decimal:
    total = Decimal(sum(answers.values()))
    if instrument.method is Method.MEAN:
        return (total / len(answers)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    prorated = total * len(instrument.items) / len(answers)
    return prorated.quantize(Decimal(1), ROUND_HALF_UP)


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


PHQ_2_POSITIVE = SCREENER_POSITIVE = 3  # PHQ-2: domain.md C; DDS-2: C4


def _bands(*bounds: tuple[int, str]) -> tuple[Band, ...]:
    return tuple(Band(Decimal(floor), name) for floor, name in bounds)


def _untold(count: int) -> tuple[Item, ...]:
    """Return items whose wording is licensed."""
    return tuple(Item(number, "", "") for number in range(1, count + 1))


_PHQ_ITEMS = (
    Item(1, "44250-9", "Little interest or pleasure in doing things"),
    Item(2, "44255-8", "Feeling down, depressed, or hopeless"),
    Item(3, "44259-0", "Trouble falling or staying asleep, or sleeping too much"),
    Item(4, "44254-1", "Feeling tired or having little energy"),
    Item(5, "44251-7", "Poor appetite or overeating"),
    Item(
        6,
        "44258-2",
        "Feeling bad about yourself, or that you are a failure or have let yourself or your"
        " family down",
    ),
    Item(
        7,
        "44252-5",
        "Trouble concentrating on things, such as reading the newspaper or watching television",
    ),
    Item(
        8,
        "44253-3",
        "Moving or speaking so slowly that other people could have noticed, or the opposite,"
        " being so fidgety or restless that you have been moving around a lot more than usual",
    ),
    Item(
        9,
        "44260-8",
        "Thoughts that you would be better off dead, or of hurting yourself in some way",
    ),
)
_GAD_ITEMS = (
    Item(1, "69725-0", "Feeling nervous, anxious, or on edge"),
    Item(2, "68509-9", "Not being able to stop or control worrying"),
    Item(3, "69733-4", "Worrying too much about different things"),
    Item(4, "69734-2", "Trouble relaxing"),
    Item(5, "69735-9", "Being so restless that it is hard to sit still"),
    Item(6, "69689-8", "Becoming easily annoyed or irritable"),
    Item(7, "69736-7", "Feeling afraid, as if something awful might happen"),
)
_PEG_ITEMS = (
    Item(1, "75893-8", "What number best describes your pain on average in the past week?"),
    Item(
        2,
        "91145-3",
        "What number best describes how, during the past week, pain has interfered with your"
        " enjoyment of life?",
    ),
    Item(
        3,
        "91146-1",
        "What number best describes how, during the past week, pain has interfered with your"
        " general activity?",
    ),
)
_DISTRESS = (
    Band(Decimal(1), "little distress"),
    Band(Decimal(2), "moderate distress"),
    Band(Decimal(3), "high distress"),
)

INSTRUMENTS: Mapping[InstrumentCode, Instrument] = {
    each.code: each
    for each in (
        Instrument(InstrumentCode.PHQ_2, "PHQ-2", "55758-7", _PHQ_ITEMS[:2], (0, 3), Method.SUM),
        Instrument(
            InstrumentCode.PHQ_9,
            "PHQ-9",
            "44261-6",
            _PHQ_ITEMS,
            (0, 3),
            Method.SUM,
            _bands(
                (0, "minimal"),
                (5, "mild"),
                (10, "moderate"),
                (15, "moderately severe"),
                (20, "severe"),
            ),
            most_missing=2,
            safety_item=9,
            unverified="up to 2 missing items are prorated",
        ),
        Instrument(
            InstrumentCode.GAD_7,
            "GAD-7",
            "70274-6",
            _GAD_ITEMS,
            (0, 3),
            Method.SUM,
            _bands((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "severe")),
            unverified="bands at 5 and 15",
        ),
        Instrument(InstrumentCode.PEG, "PEG", "91147-9", _PEG_ITEMS, (0, 10), Method.MEAN),
        Instrument(
            InstrumentCode.PAIN,
            "Pain, 0 to 10",
            "72514-3",
            (Item(1, "72514-3", "How strong is your pain now, from 0 to 10?"),),
            (0, 10),
            Method.SUM,
            _bands((0, "none"), (1, "mild"), (4, "moderate"), (7, "severe")),
        ),
        Instrument(
            InstrumentCode.DDS_2,
            "DDS-2",
            "",
            _untold(2),
            (1, 6),
            Method.MEAN,
            _bands((1, "negative"), (3, "positive")),
            is_licensed=True,
        ),
        Instrument(
            InstrumentCode.DDS_17,
            "DDS-17",
            "",
            _untold(17),
            (1, 6),
            Method.MEAN,
            _DISTRESS,
            is_licensed=True,
        ),
        Instrument(
            InstrumentCode.UCLA_3,
            "UCLA-3",
            "",
            _untold(3),
            (1, 3),
            Method.SUM,
            _bands((3, "3 to 5"), (6, "6 to 7"), (8, "8 to 9")),
            is_licensed=True,
            unverified="6 as the usual cut",
        ),
        Instrument(
            InstrumentCode.CARE,
            "CARE",
            "",
            _untold(10),
            (1, 5),
            Method.SUM,
            most_missing=2,
            is_licensed=True,
        ),
        Instrument(
            InstrumentCode.EQ_5D,
            "EQ-5D-5L",
            "",
            _untold(5),
            (1, 5),
            Method.PROFILE,
            is_licensed=True,
        ),
    )
}

# Source: domain.md C4, the DDS-17's parts; each is the mean of its items.
DDS_17_PARTS: Mapping[str, tuple[int, ...]] = {
    "emotional": (1, 4, 7, 10, 14),
    "physician": (2, 5, 11, 15),
    "regimen": (3, 6, 8, 12, 16),
    "interpersonal": (9, 13, 17),
}
