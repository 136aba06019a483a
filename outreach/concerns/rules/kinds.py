"""What is worrying, and how soon somebody must act."""

import enum
from datetime import timedelta


class ConcernKind(enum.StrEnum):
    """What is worrying."""

    SAFETY = "safety"
    GLUCOSE_LOW = "glucose_low"
    GLUCOSE_HIGH = "glucose_high"
    PRESSURE_HIGH = "pressure_high"
    SELF_HARM = "self_harm"
    MOOD = "mood"
    DANGER = "danger"
    MEDICAL = "medical"
    ABUSE = "abuse"
    OWN_LIMIT = "own_limit"


class Urgency(enum.StrEnum):
    """How soon a nurse must act."""

    NOW = "now"
    SAME_DAY = "same_day"
    NEXT_BUSINESS_DAY = "next_business_day"

    @property
    def target(self) -> timedelta:
        """Time to acknowledgement that is aimed for."""
        return _TARGETS[self]


_TARGETS = {
    Urgency.NOW: timedelta(minutes=15),
    Urgency.SAME_DAY: timedelta(hours=4),
    Urgency.NEXT_BUSINESS_DAY: timedelta(days=1),
}
