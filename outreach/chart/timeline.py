"""Everything that happened with one patient, newest first."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt, AttemptCorrection, CallNote
from outreach.chart import entries
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.inbox.models import InboxItem
from outreach.measures.models import Reading
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageStatus
from outreach.panels.models import Cover, PanelMembership
from outreach.phoning.models import PhoneCall
from outreach.programmes.models import (
    CadenceChoice,
    Enrolment,
    EnrolmentEvent,
    MilestoneDone,
    Programme,
    ProgrammeVersion,
)
from outreach.questionnaires import answered
from outreach.questionnaires.answered import Asked
from outreach.questionnaires.asking import READINGS_OF

Found = tuple[datetime, "EntryKind", Row[*tuple[Any, ...]]]

STEP = 30
MOST = 3000


class EntryKind(enum.StrEnum):
    """What an entry is about."""

    CALL = "call"
    MESSAGE = "message"
    TEXT_IN = "text_in"
    READING = "reading"
    QUESTIONNAIRE = "questionnaire"
    CONCERN = "concern"
    PANEL = "panel"
    COVER = "cover"
    PROGRAMME = "programme"
    RHYTHM = "rhythm"
    MILESTONE = "milestone"
    PHONE = "phone"
    FOLLOW_UP = "follow_up"
    FOLLOW_UP_DONE = "follow_up_done"
    CONCERN_STEP = "concern_step"
    LIMITS = "limits"
    PUT_OFF = "put_off"
    VISIT = "visit"


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
    """The newest entries, and whether there are earlier ones.

    ``asked``: the questionnaires among them, by the number of their row.
    """

    entries: Sequence[Entry]
    has_earlier: bool
    asked: Mapping[int, Asked]


def of_patient(session: Session, patient_id: int, *, newest: int = STEP) -> Timeline:
    """Return the ``newest`` things that happened with a patient, in eighteen statements."""
    newest = max(1, min(newest, MOST))
    found: list[Found] = []
    for kind, rows in _SOURCES.items():
        statement = rows(patient_id).limit(newest + 1)
        found += [(row.at, kind, row) for row in session.execute(statement).all()]
    found = _without_totals(found)
    found.sort(key=lambda each: (each[0], each[1], each[2].id), reverse=True)
    shown = found[:newest]
    asked = answered.shown(
        session, [row for _at, kind, row in shown if kind is EntryKind.QUESTIONNAIRE]
    )
    return Timeline(_grouped(shown), has_earlier=len(found) > newest, asked=asked)


def rhythms_of(session: Session, patient_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return what the patient chose and when, newest first."""
    return session.execute(_rhythms(patient_id).limit(STEP)).all()


def _without_totals(found: Sequence[Found]) -> list[Found]:
    """Leave out what a questionnaire was scored as: it tells so itself, unless put right since."""
    scored = {
        (at, kind_of)
        for at, kind, row in found
        if kind is EntryKind.QUESTIONNAIRE
        for kind_of in READINGS_OF.get(row.code, ())
    }
    return [
        (at, kind, row)
        for at, kind, row in found
        if kind is not EntryKind.READING
        or row.corrected_by_id
        or row.reason
        or (at, row.kind) not in scored
    ]


def _grouped(found: Sequence[Found]) -> list[Entry]:
    """Return one entry a row, but one for all readings of one moment."""

    def key(each: Found) -> tuple[datetime, EntryKind, int]:
        at, kind, row = each
        return at, kind, 0 if kind is EntryKind.READING else row.id

    return [
        Entry(at, kind, [row for _at, _kind, row in group])
        for (at, kind, _id), group in groupby(found, key)
    ]


def _calls(patient_id: int) -> Select[*tuple[Any, ...]]:
    corrector = aliased(StaffMember)
    return (
        select(
            Attempt.id,
            Attempt.at,
            Attempt.outcome,
            Attempt.minutes,
            Attempt.is_primary_caller,
            Attempt.superseded_at,
            AttemptCorrection.reason.label("correction"),
            AttemptCorrection.replaced_by_id,
            corrector.name.label("corrected_by"),
            CallNote.text.label("note"),
            StaffMember.name.label("by"),
            PhoneCall.answered_at.label("talked_from_at"),
            PhoneCall.seconds.label("talked_seconds"),
            PhoneCall.id.label("phone_call_id"),
        )
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .outerjoin(PhoneCall, PhoneCall.id == Attempt.phone_call_id)
        .outerjoin(CallNote, CallNote.attempt_id == Attempt.id)
        .outerjoin(AttemptCorrection, AttemptCorrection.attempt_id == Attempt.id)
        .outerjoin(corrector, corrector.id == AttemptCorrection.by_staff_id)
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
            Reading.entered_unit,
            Reading.bound,
            Reading.is_time_known,
            Reading.source,
            correction.id.label("corrected_by_id"),
            correction.is_void.label("is_taken_back"),
            correction.reason.label("why"),
            Reading.reason,
            Reading.withdrawn_at,
            StaffMember.name.label("by"),
        )
        .outerjoin(correction, correction.supersedes_id == Reading.id)
        .outerjoin(StaffMember, StaffMember.id == Reading.recorded_by_id)
        .where(Reading.patient_id == patient_id, Reading.is_void.is_(False))
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


def _texts_in(patient_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            InboxItem.id,
            InboxItem.at,
            InboxItem.understood,
            InboxItem.done_at,
            InboundText.body.label("note"),
            StaffMember.name.label("by"),
        )
        .join(InboundText, InboundText.id == InboxItem.inbound_id)
        .outerjoin(StaffMember, StaffMember.id == InboxItem.done_by_id)
        .where(InboxItem.patient_id == patient_id)
        .order_by(InboxItem.at.desc(), InboxItem.id.desc())
    )


def _covers(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Return stand-ins at the moment they were arranged, but for those called off before."""
    stand_in, arranger = aliased(StaffMember), aliased(StaffMember)
    return (
        select(
            Cover.id,
            Cover.created_at.label("at"),
            Cover.from_at,
            func.coalesce(Cover.ended_at, Cover.until_at).label("until_at"),
            Cover.note,
            stand_in.name.label("stand_in"),
            arranger.name.label("by"),
        )
        .join(stand_in, stand_in.id == Cover.stand_in_id)
        .join(arranger, arranger.id == Cover.by_staff_id)
        .where(
            Cover.patient_id == patient_id,
            or_(Cover.ended_at.is_(None), Cover.ended_at > Cover.from_at),
        )
        .order_by(Cover.created_at.desc(), Cover.id.desc())
    )


def _programme_changes(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Return changes of status and version, each beside what held before (None at first)."""

    def before(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        in_order = (EnrolmentEvent.at, EnrolmentEvent.id)
        return func.lag(column).over(partition_by=EnrolmentEvent.enrolment_id, order_by=in_order)

    return (
        select(
            EnrolmentEvent.id,
            EnrolmentEvent.at,
            EnrolmentEvent.status,
            EnrolmentEvent.reason,
            EnrolmentEvent.resume_on,
            before(EnrolmentEvent.id).label("earlier_id"),
            (before(EnrolmentEvent.version_id) != EnrolmentEvent.version_id).label("is_moved"),
            Programme.name.label("programme"),
            ProgrammeVersion.number,
            StaffMember.name.label("by"),
        )
        .join(ProgrammeVersion, ProgrammeVersion.id == EnrolmentEvent.version_id)
        .join(Programme, Programme.id == ProgrammeVersion.programme_id)
        .outerjoin(StaffMember, StaffMember.id == EnrolmentEvent.by_staff_id)
        .where(EnrolmentEvent.patient_id == patient_id)
        .order_by(EnrolmentEvent.at.desc(), EnrolmentEvent.id.desc())
    )


def _rhythms(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Return what the patient chose, with the version that held then, and whether on a call.

    A choice made on a call is saved at the very moment of the attempt.
    """
    version_then = (
        select(EnrolmentEvent.version_id)
        .where(
            EnrolmentEvent.enrolment_id == CadenceChoice.enrolment_id,
            EnrolmentEvent.at <= CadenceChoice.chosen_at,
        )
        .order_by(EnrolmentEvent.at.desc(), EnrolmentEvent.id.desc())
        .limit(1)
        .correlate(CadenceChoice)
        .scalar_subquery()
    )
    on_call = exists().where(
        Attempt.patient_id == CadenceChoice.patient_id,
        Attempt.enrolment_id == CadenceChoice.enrolment_id,
        Attempt.at == CadenceChoice.chosen_at,
    )
    return (
        select(
            CadenceChoice.id,
            CadenceChoice.chosen_at.label("at"),
            CadenceChoice.phase,
            CadenceChoice.value,
            ProgrammeVersion.data,
            on_call.label("is_on_call"),
            StaffMember.name.label("by"),
        )
        .join(Enrolment, Enrolment.id == CadenceChoice.enrolment_id)
        .join(
            ProgrammeVersion,
            ProgrammeVersion.id == func.coalesce(version_then, Enrolment.version_id),
        )
        .outerjoin(StaffMember, StaffMember.id == CadenceChoice.by_staff_id)
        .where(CadenceChoice.patient_id == patient_id)
        .order_by(CadenceChoice.chosen_at.desc(), CadenceChoice.id.desc())
    )


def _milestones(patient_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            MilestoneDone.id,
            MilestoneDone.done_at.label("at"),
            MilestoneDone.code,
            ProgrammeVersion.data,
            StaffMember.name.label("by"),
        )
        .join(Enrolment, Enrolment.id == MilestoneDone.enrolment_id)
        .join(ProgrammeVersion, ProgrammeVersion.id == Enrolment.version_id)
        .join(StaffMember, StaffMember.id == MilestoneDone.by_staff_id)
        .where(MilestoneDone.patient_id == patient_id)
        .order_by(MilestoneDone.done_at.desc(), MilestoneDone.id.desc())
    )


_SOURCES = {
    EntryKind.CALL: _calls,
    EntryKind.MESSAGE: _messages,
    EntryKind.TEXT_IN: _texts_in,
    EntryKind.READING: _readings,
    EntryKind.QUESTIONNAIRE: answered.rows,
    EntryKind.CONCERN: _concerns,
    EntryKind.PANEL: _panel_changes,
    EntryKind.COVER: _covers,
    EntryKind.PROGRAMME: _programme_changes,
    EntryKind.RHYTHM: _rhythms,
    EntryKind.MILESTONE: _milestones,
    EntryKind.PHONE: entries.phone_calls,
    EntryKind.FOLLOW_UP: entries.follow_ups,
    EntryKind.FOLLOW_UP_DONE: entries.follow_ups_done,
    EntryKind.CONCERN_STEP: entries.concern_steps,
    EntryKind.LIMITS: entries.own_limits,
    EntryKind.PUT_OFF: entries.put_off,
    EntryKind.VISIT: entries.visits,
}
