"""Who may be whose caller, and a fair first suggestion. Pure."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

DEFAULT_PANEL_CAP = 20  # Source: domain.md A1, panels of 10 to 20 in the trial.
DEFAULT_WEEKLY_MINUTES = 20 * 60  # ours: half a working week on the phone


class ChangeReason(enum.StrEnum):
    """Why a panel membership began."""

    ENROLLED = "enrolled"
    PATIENT_ASKED = "patient asked"
    CALLER_LEFT = "caller left"
    BALANCE = "balance"


@dataclass(frozen=True)
class CallerFacts:
    """A caller as assignment sees them."""

    caller_id: int
    languages: frozenset[str]
    cap: int
    panel_size: int


@dataclass(frozen=True)
class Waiting:
    """An enrolment without a caller."""

    enrolment_id: int
    language: str


class LeftOut(enum.StrEnum):
    """Why no caller can be suggested: the first rule, in this order, that leaves nobody."""

    NO_SHARED_LANGUAGE = "no_shared_language"
    NOT_TRAINED = "not_trained"
    PANELS_FULL = "panels_full"
    HOURS_FULL = "hours_full"


@dataclass(frozen=True)
class Suggestion:
    """A caller for each enrolment, or the rule that left it out."""

    caller_of: dict[int, int] = field(default_factory=dict)
    left_out: dict[int, LeftOut] = field(default_factory=dict)


def suggest(waiting: Sequence[Waiting], callers: Sequence[CallerFacts]) -> Suggestion:
    """Give each enrolment the emptiest caller who shares its language and has room.

    Languages that few callers speak go first, so that those callers' places are not taken
    by patients whom others could call. Deterministic: ties go to the lower id.
    """
    size = {caller.caller_id: caller.panel_size for caller in callers}
    speakers = {
        patient.language: [c for c in callers if patient.language in c.languages]
        for patient in waiting
    }
    suggestion = Suggestion()
    for patient in sorted(
        waiting, key=lambda each: (len(speakers[each.language]), each.enrolment_id)
    ):
        able = speakers[patient.language]
        free = [caller for caller in able if size[caller.caller_id] < caller.cap]
        if not free:
            reason = LeftOut.PANELS_FULL if able else LeftOut.NO_SHARED_LANGUAGE
            suggestion.left_out[patient.enrolment_id] = reason
            continue
        chosen = min(free, key=lambda each: (size[each.caller_id] / each.cap, each.caller_id))
        suggestion.caller_of[patient.enrolment_id] = chosen.caller_id
        size[chosen.caller_id] += 1
    return suggestion
