"""Codes of phases, measurement points and milestones: kept for ever, never used again. Pure.

What patients chose, and what was seen to, is stored under these codes.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar

from outreach.programmes.rules import MeasurePoint, Milestone, Phase, Protocol

T = TypeVar("T", Phase, MeasurePoint, Milestone)

LONGEST = 30  # room for a number behind it in columns of 40


def coded(draft: Protocol, history: Sequence[Protocol]) -> Protocol:
    """Return ``draft`` with a code for everything new.

    A code stays where the newest of ``history`` (oldest first) has it, whatever the name
    is now. A phase whose rhythm counts something else than before gets a new one: '2' was
    chosen as calls a week, and must not be read as days.
    """
    newest = history[-1] if history else None
    return replace(
        draft,
        phases=_phases(draft.phases, history, newest),
        measure_points=_kept_or_new(
            draft.measure_points,
            {each.code for each in newest.measure_points} if newest else set(),
            {each.code for old in history for each in old.measure_points},
        ),
        milestones=_kept_or_new(
            draft.milestones,
            {each.code for each in newest.milestones} if newest else set(),
            {each.code for old in history for each in old.milestones},
        ),
    )


def _phases(
    phases: Sequence[Phase], history: Sequence[Protocol], newest: Protocol | None
) -> tuple[Phase, ...]:
    rhythms = {each.code: each.rhythm for each in newest.phases} if newest else {}
    known = [
        each if rhythms.get(each.code) is each.rhythm else replace(each, code="") for each in phases
    ]
    used = {each.code for old in history for each in old.phases}
    return _kept_or_new(known, set(rhythms), used)


def _kept_or_new(entries: Sequence[T], kept: set[str], used: set[str]) -> tuple[T, ...]:
    """Return ``entries`` with the codes in ``kept``, each once, and unused ones for the rest."""
    taken, found = set(used), []
    free = set(kept)
    for each in entries:
        code = each.code if each.code in free else unused(each.name, taken)
        free.discard(code)
        taken.add(code)
        found.append(replace(each, code=code))
    return tuple(found)


def unused(name: str, taken: set[str]) -> str:
    """Return a code made from ``name`` that is not among ``taken``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LONGEST] or "part"
    candidates = (base if number == 1 else f"{base}_{number}" for number in count(1))
    return next(each for each in candidates if each not in taken)
