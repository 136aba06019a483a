"""How long what is known of a patient is kept, and who may ask for less. Pure."""

import enum
from datetime import datetime, timedelta

# 45 CFR 164.316(b)(2)(i): documentation six years. No clinic may choose less.
FEWEST_YEARS = 6
MOST_YEARS = 30
WARNED_BEFORE = timedelta(days=90)  # time to take a copy, or to place a hold
LONGEST_REASON = 500


class AskedBy(enum.StrEnum):
    """Who asked that a patient's data be deleted."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    COURT = "court"


class Decision(enum.StrEnum):
    """What was decided of a request. WITHDRAWN: whoever asked took it back."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Ground(enum.StrEnum):
    """Why the law lets a request be refused.

    Sources: 45 CFR 164.316(b)(2)(i) (records kept six years), state medical-records law,
    GDPR article 17(3)(c), (d) and (e).
    """

    RECORD_KEEPING = "record keeping"
    PUBLIC_HEALTH = "public health"
    RESEARCH = "research"
    LEGAL_CLAIM = "legal claim"
    NOT_ENTITLED = "not entitled"


class Obstacle(enum.StrEnum):
    """What keeps a patient from being anonymised although it is due."""

    HOLD = "legal hold"
    IN_PROGRAMME = "in the programme"
    CONCERN = "concern not closed"
    TEXT = "text under way"


def cutoff(now: datetime, years: int) -> datetime:
    """Return the instant ``years`` before ``now``: who left by then is due.

    The 29th of February becomes the 28th: nobody is due a day early.
    """
    day = 28 if (now.month, now.day) == (2, 29) else now.day
    return now.replace(year=now.year - years, day=day)
