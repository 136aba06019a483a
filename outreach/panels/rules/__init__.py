"""Panels: why they change, who is left out. Matching, load and starts lie beside. Pure."""

import enum
from datetime import timedelta

DEFAULT_PANEL_CAP = 20  # Source: domain.md A1, panels of 10 to 20 in the trial.
DEFAULT_WEEKLY_MINUTES = 20 * 60  # ours: half a working week on the phone
# Ours: who is away at some time of the coming week gets nobody new.
NEW_PATIENTS_WAIT = timedelta(days=7)


class ChangeReason(enum.StrEnum):
    """Why a panel membership began."""

    ENROLLED = "enrolled"
    PATIENT_ASKED = "patient asked"
    CALLER_LEFT = "caller left"
    BALANCE = "balance"


class LeftOut(enum.StrEnum):
    """Why no caller can be suggested: the first rule, in this order, that leaves nobody."""

    NO_SHARED_LANGUAGE = "no_shared_language"
    NOT_TRAINED = "not_trained"
    AWAY = "away"
    PANELS_FULL = "panels_full"
    HOURS_FULL = "hours_full"
