"""The words in which concerns are shown; urgency with its kind of tag."""

import json
from textwrap import shorten

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from outreach.concerns.rules import (
    CardFault,
    ConcernKind,
    ConcernStatus,
    Finding,
    Limits,
    LimitTrouble,
    Needed,
    OnCallRank,
    RiskKind,
    StepKind,
    Urgency,
)
from outreach.concerns.rules.limits import filled
from outreach.concerns.rules.low_sugar import LONGEST_LINE, MOST_LINES
from outreach.measures.labels import value_words
from outreach.measures.rules import REGISTRY, MeasureKind

KIND_WORDS = {
    ConcernKind.SAFETY: _l("Safety concern"),
    ConcernKind.GLUCOSE_LOW: _l("Low blood sugar"),
    ConcernKind.GLUCOSE_HIGH: _l("High blood sugar"),
    ConcernKind.PRESSURE_HIGH: _l("High blood pressure"),
    ConcernKind.SELF_HARM: _l("Thoughts of self-harm"),
    ConcernKind.MOOD: _l("Low mood or worry"),
    ConcernKind.DANGER: _l("In danger now"),
    ConcernKind.MEDICAL: _l("Medical emergency"),
    ConcernKind.ABUSE: _l("Abuse or violence"),
    ConcernKind.OWN_LIMIT: _l("Beyond their own limits"),
}
# How a caller is asked what a worry is about, with the person still on the line.
CALLERS_KIND_WORDS = {
    ConcernKind.DANGER: _l("In danger now"),
    ConcernKind.SELF_HARM: _l("Thoughts of suicide"),
    ConcernKind.MEDICAL: _l("Medical"),
    ConcernKind.ABUSE: _l("Abuse or violence"),
    ConcernKind.SAFETY: _l("Something else"),
}
URGENCY_WORDS = {
    Urgency.NOW: (_l("now"), "urgent"),
    Urgency.SAME_DAY: (_l("today"), "warm"),
    Urgency.NEXT_BUSINESS_DAY: (_l("next business day"), "calm"),
}
STEP_WORDS = {
    StepKind.RAISED: _l("raised"),
    StepKind.ACKNOWLEDGED: _l("taken on"),
    StepKind.NOTED: _l("noted"),
    StepKind.CALL_CORRECTED: _l("the call it was raised in was corrected"),
    StepKind.CLOSED: _l("closed"),
    StepKind.ADDED: _l("added by the caller"),
    StepKind.REVIEWED: _l("reviewed"),
    StepKind.REOPENED: _l("opened again"),
}
STATUS_WORDS = {
    ConcernStatus.OPEN: _l("open"),
    ConcernStatus.ACKNOWLEDGED: _l("a nurse is on it"),
    ConcernStatus.CLOSED: _l("closed"),
}
RANK_WORDS = {
    OnCallRank.FIRST: _l("First"),
    OnCallRank.BACKUP: _l("Backup, after 15 minutes"),
    OnCallRank.LEAD: _l("Lead, after 30 minutes"),
}
NEEDED_WORDS = {
    Needed.ANYBODY: _l("Anybody on call, the lead among them"),
    Needed.FIRST: _l("Somebody in the first place"),
}
RISK_WORDS = {
    RiskKind.SUICIDE: _l("Suicide risk"),
    RiskKind.ABUSE: _l("Abuse or violence at home"),
    RiskKind.MEDICAL: _l("Medical risk"),
    RiskKind.OTHER: _l("Other risk"),
}
TROUBLE_WORDS = {
    LimitTrouble.EMPTY: _l("Write at least one limit."),
    LimitTrouble.CROSSED: _l("The lower limit must be below the upper one."),
    LimitTrouble.IMPOSSIBLE: _l("No body has this value. Check the number and the unit."),
    LimitTrouble.TOO_WEAK: _l(
        "That would hide what is dangerous for everybody. The table says how far a limit can go."
    ),
}

_CARD_FAULTS = {
    CardFault.EMPTY: _l("Write what to read aloud."),
    CardFault.TOO_MANY_LINES: _l("Use at most %(lines)s lines: it is read aloud."),
    CardFault.LINE_TOO_LONG: _l("Shorten to %(longest)s characters: “%(words)s”"),
    CardFault.DOSE: _l("Take out “%(words)s”: callers never speak of medicines or their doses."),
}


def card_fault_words(found: Finding) -> str:
    """Return what is wrong with the words of a low-sugar card."""
    words = shorten(found.words, width=60, placeholder=" …")
    about = {"lines": MOST_LINES, "longest": LONGEST_LINE, "words": words}
    return str(_CARD_FAULTS[found.fault]) % about


def told_from(kind: MeasureKind, own: Limits | None) -> dict[str, str]:
    """Return from which values on a nurse is told of one patient's ``kind``, for a page to warn.

    As data attributes of a field: ``low`` and ``high`` in the canonical unit, and by how much
    each unit is multiplied to reach it.
    """
    limits, units = filled(kind, own), REGISTRY[kind].units
    told = {"data-told-low": limits.low, "data-told-high": limits.high}
    factors = {unit: float(each.factor) for unit, each in units.items()}
    found = {name: str(value) for name, value in told.items() if value is not None}
    return found | {"data-factors": json.dumps(factors)} if found else {}


def limits_words(kind: MeasureKind, limits: Limits, unit: str | None = None) -> str:
    """Return limits in words: 'below 80 mg/dL (4.4 mmol/L), from 250 mg/dL (13.9 mmol/L)'."""
    words = []
    if limits.low is not None:
        words.append(_("below %(value)s", value=value_words(kind, limits.low, unit)))
    if limits.high is not None:
        words.append(_("from %(value)s", value=value_words(kind, limits.high, unit)))
    return ", ".join(words)
