"""Rows of what was measured in the demo, and of the concerns that followed."""

from collections.abc import Sequence

from outreach.accounts.rules import Role
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernStatus, StepKind
from outreach.measures.models import Reading
from outreach.measures.rules import REGISTRY, ReadingSource
from scripts.demo.readings import Measured
from scripts.demo.record import House
from scripts.demo.record_calls import Chronicle
from scripts.demo.worries import Worry


def write(house: House, chronicle: Chronicle, measured: Sequence[Measured]) -> None:
    """Add one patient's readings, then their concerns, which point to some of them."""
    reading_ids = {id(each): _reading(house, chronicle, each) for each in measured}
    for worry in chronicle.worries.values():
        reading_id = reading_ids[id(worry.reading)] if worry.reading else None
        _concern(house, chronicle, worry, reading_id)


def _reading(house: House, chronicle: Chronicle, measured: Measured) -> int:
    measure = REGISTRY[measured.kind]
    nurse = house.on_duty(Role.NURSE, chronicle.person.site)
    recorded_by = house.staff_id(measured.dial.caller) if measured.dial else nurse
    is_from_file = measured.source is ReadingSource.CSV
    day = measured.taken_at.date().isoformat()
    return house.rows.add(
        Reading,
        **chronicle.ids.owned,
        attempt_id=chronicle.attempt_ids[measured.dial] if measured.dial else None,
        supersedes_id=None,
        kind=measured.kind,
        value=measure.in_canonical_unit(measured.value, measured.unit),
        entered_value=str(measured.value),
        entered_unit=measured.unit,
        taken_at=measured.taken_at,
        is_time_known=measured.is_time_known,
        recorded_at=measured.recorded_at,
        recorded_by_id=None if is_from_file else recorded_by,
        source=measured.source,
        external_key=f"demo-lab:{measured.kind.value}:{day}" if is_from_file else None,
    )


def _concern(house: House, chronicle: Chronicle, worry: Worry, reading_id: int | None) -> None:
    status = ConcernStatus.OPEN
    if worry.acknowledged_at:
        status = ConcernStatus.CLOSED if worry.closed_at else ConcernStatus.ACKNOWLEDGED
    caller_id = house.staff_id(worry.dial.caller)
    nurse_id = house.on_duty(Role.NURSE, chronicle.person.site)
    reviewed_at = worry.reviewed_at(house.now)
    manager_id = house.on_duty(Role.MANAGER, chronicle.person.site)
    concern_id = house.rows.add(
        Concern,
        **chronicle.ids.owned,
        reading_id=reading_id,
        kind=worry.trigger.kind,
        urgency=worry.trigger.urgency,
        status=status,
        raised_at=worry.raised_at,
        acknowledged_at=worry.acknowledged_at,
        acknowledged_by_id=nurse_id if worry.acknowledged_at else None,
        closed_at=worry.closed_at,
        closed_by_id=nurse_id if worry.closed_at else None,
        reviewed_at=reviewed_at,
        reviewed_by_id=manager_id if reviewed_at else None,
    )
    steps = (
        (StepKind.RAISED, worry.words, caller_id, worry.raised_at),
        (StepKind.ACKNOWLEDGED, "", nurse_id, worry.acknowledged_at),
        (StepKind.NOTED, worry.noted, nurse_id, worry.noted_at),
        (StepKind.CLOSED, worry.closing, nurse_id, worry.closed_at),
        (StepKind.REVIEWED, "", manager_id, reviewed_at),
    )
    for kind, note, by_staff_id, at in steps:
        if at is not None:
            house.rows.add(
                ConcernStep,
                concern_id=concern_id,
                kind=kind,
                note=note,
                by_staff_id=by_staff_id,
                at=at,
            )
