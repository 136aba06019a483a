"""Everything that happened with one patient, newest first."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt, CallNote
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.measures.models import Reading
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.panels.models import PanelMembership

STEP = 30
MOST = 3000


class EntryKind(enum.StrEnum):
    """What an entry is about."""

    CALL = "call"
    MESSAGE = "message"
    READING = "reading"
    CONCERN = "concern"
    PANEL = "panel"


@dataclass(frozen=True)
class Entry:
    """One thing that happened; several rows where readings were taken at one moment."""

    at: datetime
    kind: EntryKind
    rows: Sequence[Row[*tuple[Any, ...]]]

    @property
    def row(self) -> Row[*tuple[Any, ...]]:
        """The only row, or the first one."""
        return self.rows[0]


@dataclass(frozen=True)
class Timeline:
    """The newest entries, and whether there are earlier ones."""

    entries: Sequence[Entry]
    has_earlier: bool


def of_patient(session: Session, patient_id: int, *, newest: int = STEP) -> Timeline:
    """Return the ``newest`` things that happened with a patient, in five statements."""
    newest = max(1, min(newest, MOST))
    found: list[tuple[datetime, EntryKind, Row[*tuple[Any, ...]]]] = []
    for kind, rows in _SOURCES.items():
        statement = rows(patient_id).limit(newest + 1)
        found += [(row.at, kind, row) for row in session.execute(statement).all()]
    found.sort(key=lambda each: (each[0], each[1], each[2].id), reverse=True)
    return Timeline(_grouped(found[:newest]), has_earlier=len(found) > newest)


def _grouped(found: Sequence[tuple[datetime, EntryKind, Row[*tuple[Any, ...]]]]) -> list[Entry]:
    """Return one entry a row, but one for all readings of one moment."""

    def key(
        each: tuple[datetime, EntryKind, Row[*tuple[Any, ...]]],
    ) -> tuple[datetime, EntryKind, int]:
        at, kind, row = each
        return at, kind, 0 if kind is EntryKind.READING else row.id

    return [
        Entry(at, kind, [row for _at, _kind, row in group])
        for (at, kind, _id), group in groupby(found, key)
    ]


def _calls(patient_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Attempt.id,
            Attempt.at,
            Attempt.outcome,
            Attempt.minutes,
            Attempt.is_primary_caller,
            CallNote.text.label("note"),
            StaffMember.name.label("by"),
        )
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .outerjoin(CallNote, CallNote.attempt_id == Attempt.id)
        .where(Attempt.patient_id == patient_id)
        .order_by(Attempt.at.desc(), Attempt.id.desc())
    )


def _messages(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Return texts at the moment they went out, will go out, or were given up."""
    at = case(
        (Message.accepted_at.is_not(None), Message.accepted_at),
        (Message.status == MessageStatus.SKIPPED, Message.created_at),
        else_=Message.send_after,
    )
    return (
        select(Message.id, at.label("at"), Message.status, Message.skip_reason, Message.body)
        .where(Message.patient_id == patient_id)
        .order_by(at.desc(), Message.id.desc())
    )


def _readings(patient_id: int) -> Select[*tuple[Any, ...]]:
    correction = aliased(Reading)
    return (
        select(
            Reading.id,
            Reading.taken_at.label("at"),
            Reading.kind,
            Reading.value,
            Reading.is_time_known,
            Reading.source,
            correction.id.label("corrected_by_id"),
            StaffMember.name.label("by"),
        )
        .outerjoin(correction, correction.supersedes_id == Reading.id)
        .outerjoin(StaffMember, StaffMember.id == Reading.recorded_by_id)
        .where(Reading.patient_id == patient_id)
        .order_by(Reading.taken_at.desc(), Reading.id.desc())
    )


def _concerns(patient_id: int) -> Select[*tuple[Any, ...]]:
    first_step = (
        select(func.min(ConcernStep.id))
        .where(ConcernStep.concern_id == Concern.id, ConcernStep.kind == StepKind.RAISED)
        .correlate(Concern)
        .scalar_subquery()
    )
    return (
        select(
            Concern.id,
            Concern.raised_at.label("at"),
            Concern.kind,
            Concern.urgency,
            Concern.status,
            ConcernStep.note,
            StaffMember.name.label("by"),
        )
        .outerjoin(ConcernStep, ConcernStep.id == first_step)
        .outerjoin(StaffMember, StaffMember.id == ConcernStep.by_staff_id)
        .where(Concern.patient_id == patient_id)
        .order_by(Concern.raised_at.desc(), Concern.id.desc())
    )


def _panel_changes(patient_id: int) -> Select[*tuple[Any, ...]]:
    caller, changer = aliased(StaffMember), aliased(StaffMember)
    return (
        select(
            PanelMembership.id,
            PanelMembership.from_at.label("at"),
            PanelMembership.reason,
            PanelMembership.note,
            caller.name.label("caller"),
            changer.name.label("by"),
        )
        .join(caller, caller.id == PanelMembership.caller_id)
        .outerjoin(changer, changer.id == PanelMembership.by_staff_id)
        .where(PanelMembership.patient_id == patient_id)
        .order_by(PanelMembership.from_at.desc(), PanelMembership.id.desc())
    )


_SOURCES = {
    EntryKind.CALL: _calls,
    EntryKind.MESSAGE: _messages,
    EntryKind.READING: _readings,
    EntryKind.CONCERN: _concerns,
    EntryKind.PANEL: _panel_changes,
}
