"""The questionnaires that we can score: one row each. Pure data.

Source of items, codes, bands and missing-item rules: domain.md C, C1 and C4. PHQ-9, PHQ-2 and
GAD-7 need no permission (developed by Drs Spitzer, Williams, Kroenke and colleagues with an
educational grant from Pfizer Inc.). Licensed instruments have a scorer here and no text: an
administrator states the permission and gives the wording.
"""

from collections.abc import Mapping
from decimal import Decimal

from outreach.questionnaires.rules.scoring import (
    Band,
    Instrument,
    InstrumentCode,
    Item,
    Method,
    Part,
)


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
_DIFFICULTY = Item(
    10,
    "69722-7",
    "How difficult have these problems made it for you to do your work, take care of things at"
    " home, or get along with other people?",
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

# Source: domain.md C4, the DDS-17's parts; each is the mean of its items.
_DDS_17_PARTS = tuple(
    Part(code, items, Method.MEAN, _DISTRESS)
    for code, items in (
        ("emotional", (1, 4, 7, 10, 14)),
        ("physician", (2, 5, 11, 15)),
        ("regimen", (3, 6, 8, 12, 16)),
        ("interpersonal", (9, 13, 17)),
    )
)
# Mean days of the last seven, in the order of the revised scale (2000); of the fourth item,
# on fatty food, the days without. Its question on smoking has no days, and the ones on
# medication came later: neither belongs to these means.
_SDSCA_PARTS = tuple(
    Part(code, items, Method.MEAN)
    for code, items in (
        ("general_diet", (1, 2)),
        ("specific_diet", (3, 4)),
        ("exercise", (5, 6)),
        ("testing", (7, 8)),
        ("feet", (9, 10)),
    )
)
# Source of bands and of the items that are turned: domain.md B2. A sum of ten each.
_PROQOL_BANDS = _bands((10, "low"), (23, "moderate"), (42, "high"))
_PROQOL_PARTS = tuple(
    Part(code, items, Method.SUM, _PROQOL_BANDS)
    for code, items in (
        ("satisfaction", (3, 6, 12, 16, 18, 20, 22, 24, 27, 30)),
        ("burnout", (1, 4, 8, 10, 15, 17, 19, 21, 26, 29)),
        ("secondary_stress", (2, 5, 7, 9, 11, 13, 14, 23, 25, 28)),
    )
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
            difficulty=_DIFFICULTY,
            unverified="up to 2 missing items are prorated; the code of the question on difficulty",
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
            parts=_DDS_17_PARTS,
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
        Instrument(
            InstrumentCode.PDSMS,
            "PDSMS",
            "",
            _untold(8),
            (1, 5),
            Method.SUM,
            turned=frozenset({1, 2, 6, 7}),
            is_licensed=True,
            unverified="which items are turned: 1, 2, 6, 7",
        ),
        Instrument(
            InstrumentCode.SDSCA,
            "SDSCA",
            "",
            _untold(10),
            (0, 7),
            Method.PARTS,
            turned=frozenset({4}),
            parts=_SDSCA_PARTS,
            is_licensed=True,
            unverified="which items make each mean, and that item 4 is turned",
        ),
        Instrument(
            InstrumentCode.PROQOL,
            "ProQOL 5",
            "",
            _untold(30),
            (1, 5),
            Method.PARTS,
            turned=frozenset({1, 4, 15, 17, 29}),
            parts=_PROQOL_PARTS,
            is_for_staff=True,
            is_licensed=True,
            unverified="which items make each scale, and which are turned: 1, 4, 15, 17, 29",
        ),
    )
}
