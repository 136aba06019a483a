"""Keeping what somebody entered, and raising the concern that it asks for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Actor, Role
from outreach.clock import local_day
from outreach.concerns import limits, raising
from outreach.concerns.models import Concern, OwnLimits
from outreach.concerns.raising import Raised
from outreach.concerns.rules import (
    LOWS_WITHIN,
    ConcernKind,
    Measured,
    Trigger,
    Urgency,
    is_level_2,
    lows_before,
    trigger_of,
)
from outreach.errors import NotAllowed
from outreach.measures import readings
from outreach.measures.models import Reading
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import (
    GLUCOSE,
    REGISTRY,
    MeasureKind,
    ReadingSource,
    Sign,
    in_both_units,
)
from outreach.patients.models import Patient

_SIGN_WORDS = {
    Sign.DANGER: "danger signs",
    Sign.ILLNESS: "ill",
    Sign.KETONES: "ketones",
    Sign.HELP_NEEDED: "needed help",
}


class NotYoursToEnter(NotAllowed):
    """The registry lets others enter this measure."""


@dataclass(frozen=True)
class Judged:
    """A reading and what it asks for, with the words that a nurse reads first."""

    reading: Reading
    trigger: Trigger
    words: str


def roles_at(actor: Actor, clinic_id: int) -> frozenset[Role]:
    """Return what ``actor`` is at a clinic."""
    return frozenset(held.role for held in actor.held if held.clinic_id == clinic_id)


def may_enter(actor: Actor, kind: MeasureKind, clinic_id: int) -> bool:
    """Say whether the registry lets ``actor`` enter a measure at a clinic."""
    roles = roles_at(actor, clinic_id)
    if Role.ASSESSOR in roles:  # measures as a nurse does
        roles |= {Role.NURSE}
    return bool(REGISTRY[kind].entered_by & roles)


def keep(
    session: Session,
    patient: Patient,
    reported: Sequence[ReportedReading],
    *,
    source: ReadingSource,
    actor: Actor,
    now: datetime,
    attempt_id: int | None = None,
    note: str = "",
    form_key: str | None = None,
    told: Sequence[Concern] = (),
) -> Sequence[Reading]:
    """Keep values that were taken together, and raise what they ask for. Does not commit.

    Upper and lower pressure are two readings and one concern. A page of its own is kept once:
    ``form_key`` is part of a unique key; a second time returns nothing. ``told`` are the
    concerns by which a nurse was told of some of them before they were kept.

    Raises:
        NotYoursToEnter: one of them is for others to enter; nothing is kept.
    """
    if not all(may_enter(actor, each.kind, patient.clinic_id) for each in reported):
        raise NotYoursToEnter("This is for a nurse to enter.")
    keys = {each.kind: f"form:{form_key}:{each.kind}" if form_key else None for each in reported}
    if readings.are_kept(session, patient.id, [key for key in keys.values() if key]):
        return []
    by_staff_id = actor.staff_id
    made = [
        readings.made(
            patient,
            each,
            source=source,
            attempt_id=attempt_id,
            by_staff_id=by_staff_id,
            now=now,
            external_key=keys[each.kind],
        )
        for each in reported
    ]
    kept = readings.add(session, made)
    found = [judged for each in kept if (judged := judge(session, each, now=now))]
    raise_worst(session, patient, found, note=note, by_staff_id=by_staff_id, now=now, told=told)
    return kept


def judge(session: Session, reading: Reading, *, now: datetime) -> Judged | None:
    """Return what a stored reading asks for, by its own time, those before it, own limits."""
    measured = _measured(reading)
    earlier = _earlier(session, reading)
    own = _own_limits(session, reading, now=now)
    trigger = trigger_of(
        reading.kind,
        reading.value,
        taken_at=reading.taken_at,
        now=now,
        signs=reading.said,
        bound=reading.bound,
        earlier=earlier,
        own=own.limits if own else None,
    )
    if trigger is None:
        return None
    return Judged(reading, trigger, _words(measured, reading, earlier, own))


def raise_worst(
    session: Session,
    patient: Patient,
    found: Sequence[Judged],
    *,
    note: str,
    by_staff_id: int | None,
    now: datetime,
    told: Sequence[Concern] = (),
) -> int:
    """Raise one concern of each kind, the most urgent, with the words of all of that kind.

    Of a kind of ``told``, which were raised before their readings were kept, none: that one has
    the words added. Returns how many. Does not commit.
    """
    order, raised_kinds = list(Urgency), 0
    before = {each.kind: each for each in told}
    for kind in ConcernKind:
        alike = [each for each in found if each.trigger.kind is kind]
        if not alike:
            continue
        worst = min(alike, key=lambda each: order.index(each.trigger.urgency))
        words = "\n".join([*(each.words for each in alike), note]).strip()
        if kind in before:
            raising.add_reading(
                session, before[kind], worst.reading.id, words, by_staff_id=by_staff_id, now=now
            )
            continue
        raised = Raised(worst.trigger, words, worst.reading.id)
        raising.raise_concern(session, patient, raised, by_staff_id=by_staff_id, now=now)
        raised_kinds += 1
    return raised_kinds


def _measured(reading: Reading) -> Measured:
    return Measured(reading.kind, reading.value, reading.taken_at, reading.said, reading.bound)


def _earlier(session: Session, reading: Reading) -> list[Measured]:
    if reading.kind not in GLUCOSE:
        return []
    since = reading.taken_at - LOWS_WITHIN
    found = readings.since(session, reading.patient_id, GLUCOSE, at=since)
    own = _own_ids(session, reading)
    return [_measured(each) for each in found if each.id not in own]


def _own_ids(session: Session, reading: Reading) -> Collection[int | None]:
    """Return the numbers of what says the same measurement: a correction is no second value."""
    if reading.supersedes_id is None:
        return {reading.id}
    return readings.same_as(session, reading.patient_id, reading.supersedes_id)


def _own_limits(session: Session, reading: Reading, *, now: datetime) -> OwnLimits | None:
    zone = ZoneInfo(session.get_one(Clinic, reading.clinic_id).zone)
    return limits.in_force(session, reading.patient_id, reading.kind, today=local_day(now, zone))


def _words(
    measured: Measured, reading: Reading, earlier: Sequence[Measured], own: OwnLimits | None
) -> str:
    """Return '52 mg/dL (2.9 mmol/L), needed help. Below 54 mg/dL for time 2 in two weeks.'."""
    said = ", ".join(words for sign, words in _SIGN_WORDS.items() if sign in reading.said)
    words = in_both_units(
        reading.kind, reading.entered_value, reading.entered_unit, reading.value
    ) + (f", {said}" if said else "")
    lows = lows_before(measured, earlier) if is_level_2(measured) else 0
    told = [words] if lows or own else []
    if lows:
        told.append(f"Below 54 mg/dL for time {lows + 1} in two weeks")
    if own:
        told.append(f"Own limits of this patient: {_set_to(own)} ({own.by.name}: {own.reason})")
    return ". ".join(told) + "." if told else words


def _set_to(own: OwnLimits) -> str:
    """Return 'below 80 mg/dL, from 250 mg/dL', in the unit in which they were set."""
    shown = REGISTRY[own.kind].units[own.unit].from_canonical
    sides = (("below", own.low), ("from", own.high))
    return ", ".join(
        f"{side} {shown(value)} {own.unit}" for side, value in sides if value is not None
    )
