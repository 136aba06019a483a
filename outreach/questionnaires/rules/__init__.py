"""Questionnaires with items: their texts, their scores and what a score asks for. Pure.

``scoring`` has the rules, ``instruments`` the data.
"""

from outreach.questionnaires.rules.instruments import INSTRUMENTS
from outreach.questionnaires.rules.scoring import (
    PHQ_2_POSITIVE,
    Band,
    Gap,
    Instrument,
    InstrumentCode,
    Item,
    Method,
    Part,
    PartScore,
    Review,
    Score,
    Skip,
    asks_for,
    first_open,
    next_to_ask,
    part_scores,
    profile,
    review_of,
    score,
)

__all__ = [
    "INSTRUMENTS",
    "PHQ_2_POSITIVE",
    "Band",
    "Gap",
    "Instrument",
    "InstrumentCode",
    "Item",
    "Method",
    "Part",
    "PartScore",
    "Review",
    "Score",
    "Skip",
    "asks_for",
    "first_open",
    "next_to_ask",
    "part_scores",
    "profile",
    "review_of",
    "score",
]
