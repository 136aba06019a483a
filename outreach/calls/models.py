"""Tables of calls as they happened."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, func
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.calls.rules import Outcome
from outreach.orm import Model
from outreach.sealing import Sealed, SealedJSON


class Attempt(Model):
    """One dial of one planned call. Appended; ``form_key`` makes a double save one row.

    One that was recorded wrongly stays, marked ``superseded_at``, and counts nowhere; see
    :class:`AttemptCorrection`.

    ``answers_hash`` tells a form sent twice from one that was changed and sent again.
    ``minutes`` is the length of the conversation, 0 where nobody was reached.
    ``at`` is when it happened; ``saved_at`` when the server was told, later where Save waited for
    a connection; None on rows from before that was kept.
    ``phone_call_id`` is the call on the telephone it is about, whose times the carrier told.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        Index(None, "planned_call_id"),
        Index(None, "patient_id", "at"),
        Index(None, "clinic_id", "at"),
        Index(None, "caller_id", "at"),
        Index(None, "enrolment_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    form_key: Mapped[str] = mapped_column(String(40), unique=True)
    answers_hash: Mapped[str] = mapped_column(String(64), default="")
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    planned_call_id: Mapped[int] = mapped_column(ForeignKey("planned_call.id"))
    caller_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    is_primary_caller: Mapped[bool]
    at: Mapped[datetime]
    saved_at: Mapped[datetime | None]
    minutes: Mapped[int]
    outcome: Mapped[Outcome]
    superseded_at: Mapped[datetime | None]
    phone_call_id: Mapped[int | None] = mapped_column(ForeignKey("phone_call.id"), unique=True)

    @hybrid_property
    def recorded_at(self) -> datetime:
        """When the server knew of it: since then it counts, and may be taken back for a while."""
        return self.saved_at or self.at

    @recorded_at.inplace.expression
    @classmethod
    def _recorded_at(cls) -> ColumnElement[datetime]:
        return func.coalesce(cls.saved_at, cls.at)


class LastTalk(Model):
    """When somebody last talked with a patient, beside all attempts; ``last_talk`` keeps it.

    ``at`` is that of ``attempt_id``. Who was never reached has no row.
    """

    __tablename__ = "last_talk"
    __table_args__ = (Index(None, "at"),)

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), unique=True)
    at: Mapped[datetime]


class AttemptBefore(Model):
    """How its planned call stood before an attempt, and what was typed: to take it back."""

    __tablename__ = "attempt_before"

    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    dial_from_at: Mapped[datetime]
    dial_until_at: Mapped[datetime]
    complete_by_on: Mapped[date]
    is_agreed: Mapped[bool]
    answers: Mapped[dict[str, Any]] = mapped_column(SealedJSON("attempt_before.answers"))


class AttemptCorrection(Model):
    """Somebody took an attempt back, or put ``replaced_by_id`` in its place. One an attempt."""

    __tablename__ = "attempt_correction"
    __table_args__ = (Index(None, "patient_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), unique=True)
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"))
    reason: Mapped[str] = mapped_column(Sealed("attempt_correction.reason"))
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]


class Lease(Model):
    """One person has a planned call open, so that nobody else is shown it, until ``until_at``.

    ``started_at``: since when they are on the line, None while they only have it open.
    """

    __tablename__ = "call_lease"
    __table_args__ = (Index(None, "staff_id"),)

    planned_call_id: Mapped[int] = mapped_column(ForeignKey("planned_call.id"), primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    opened_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    until_at: Mapped[datetime]

    staff: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


class CallNote(Model):
    """What was said in one attempt."""

    __tablename__ = "call_note"
    __table_args__ = (Index(None, "patient_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), unique=True)
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    text: Mapped[str] = mapped_column(Sealed("call_note.text"))
    at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class Promise(Model):
    """Something to come back to, until it is kept. ``due_on`` is the patient's local day.

    ``withdrawn_at``: it was said in an attempt that was taken back.
    """

    __tablename__ = "promise"
    __table_args__ = (Index(None, "patient_id", "kept_at", "due_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"))
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    text: Mapped[str] = mapped_column(Sealed("promise.text"))
    due_on: Mapped[date | None]
    made_at: Mapped[datetime]
    kept_at: Mapped[datetime | None]
    kept_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    withdrawn_at: Mapped[datetime | None]


class PromiseMove(Model):
    """Somebody put a promise off to another day. Appended only."""

    __tablename__ = "promise_move"
    __table_args__ = (Index(None, "promise_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    promise_id: Mapped[int] = mapped_column(ForeignKey("promise.id"))
    from_on: Mapped[date | None]
    to_on: Mapped[date]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]


class Hiding(Model):
    """Somebody said 'not today' of a planned call; it stays out of the queue's way until then.

    Appended; ``shown_again_at`` ends it early.
    """

    __tablename__ = "call_hiding"
    __table_args__ = (Index(None, "planned_call_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    planned_call_id: Mapped[int] = mapped_column(ForeignKey("planned_call.id"))
    reason: Mapped[str] = mapped_column(Sealed("call_hiding.reason"))
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]
    until_at: Mapped[datetime]
    shown_again_at: Mapped[datetime | None]


class Draft(Model):
    """What one person is typing about one planned call, and the mark that they are in it.

    ``version`` counts saves and ``tab`` is who saved last, so that a second tab can't
    overwrite the first unseen, while one whose answer got lost may go on.
    ``started_at`` is when the conversation began, from which its minutes are counted.
    """

    __tablename__ = "call_draft"
    __table_args__ = (UniqueConstraint("planned_call_id", "staff_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    planned_call_id: Mapped[int] = mapped_column(ForeignKey("planned_call.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    form_key: Mapped[str] = mapped_column(String(40), unique=True)
    answers: Mapped[dict[str, Any]] = mapped_column(SealedJSON("call_draft.answers"))
    version: Mapped[int]
    tab: Mapped[str] = mapped_column(String(40), default="")
    started_at: Mapped[datetime | None]
    saved_at: Mapped[datetime]

    staff: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


class DraftAside(Model):
    """What another tab typed about the same call, until somebody chooses what to keep.

    ``tab`` is whose text it is: each tab has one, which follows what is typed in it.
    """

    __tablename__ = "call_draft_aside"
    __table_args__ = (UniqueConstraint("planned_call_id", "staff_id", "tab"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    planned_call_id: Mapped[int] = mapped_column(ForeignKey("planned_call.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    tab: Mapped[str] = mapped_column(String(40))
    answers: Mapped[dict[str, Any]] = mapped_column(SealedJSON("call_draft_aside.answers"))
    saved_at: Mapped[datetime]
