"""The table of planned calls."""

from datetime import date, datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.sealing import Sealed

_PLANNED = f"'{CallStatus.PLANNED}'"
_OPEN = text(f"status = {_PLANNED}")
_CANCELLED = text("status = 'cancelled'")
_TO_DO = text("done_at IS NULL")


class PlannedCall(Model):
    """One contact of the programme: due on a day, tried until ``complete_by_on``.

    Days are the patient's local ones. ``dial_from_at`` and ``dial_until_at`` bound the
    stretch in which to dial next; ``is_agreed`` means that the patient asked for it.
    ``dials`` counts attempts. At most one is open per enrolment, which the database holds.
    ``version_id`` is the version of the programme that it was planned by.
    """

    __tablename__ = "planned_call"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "sequence"),
        Index(
            "uq_planned_call_open",
            "enrolment_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_planned_call_slot_end",
            "dial_until_at",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_planned_call_slot_begin",
            "dial_from_at",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_planned_call_cancelled",
            "clinic_id",
            "due_on",
            sqlite_where=_CANCELLED,
            postgresql_where=_CANCELLED,
        ),
        Index(None, "clinic_id", "due_on"),
        Index(None, "patient_id", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    sequence: Mapped[int]
    phase: Mapped[str] = mapped_column(String(40))
    due_on: Mapped[date]
    complete_by_on: Mapped[date]
    dial_from_at: Mapped[datetime]
    dial_until_at: Mapped[datetime]
    is_agreed: Mapped[bool]
    dials: Mapped[int]
    status: Mapped[CallStatus]
    planned_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    version_id: Mapped[int | None] = mapped_column(ForeignKey("programme_version.id"))

    @hybrid_property
    def is_open(self) -> bool:
        """Say whether it is still to be made."""
        return self.status is CallStatus.PLANNED

    @is_open.inplace.expression
    @classmethod
    def _is_open(cls) -> ColumnElement[bool]:
        # Written into statements, not handed over: PostgreSQL keeps a plan for whatever is
        # handed over, and would find the index of open calls only by planning each time anew.
        return cls.status == literal_column(_PLANNED)


class FollowUp(Model):
    """Something to see to because calls don't get through. One open of a kind per enrolment."""

    __tablename__ = "follow_up"
    __table_args__ = (
        Index(
            "uq_follow_up_open",
            "enrolment_id",
            "kind",
            unique=True,
            sqlite_where=_TO_DO,
            postgresql_where=_TO_DO,
        ),
        Index(None, "clinic_id", "done_at"),
        Index(None, "patient_id"),
        Index(None, "enrolment_id", "opened_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    kind: Mapped[FollowUpKind]
    reason: Mapped[str] = mapped_column(Sealed("follow_up.reason"))
    opened_at: Mapped[datetime]
    letter_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Sealed("follow_up.note"), default="")
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))


class Beat(Model):
    """When the planner last ran, and on which machine. One row.

    ``complete_at`` is when it last left nobody without the call that they should have, None until
    it looked; ``lacking`` how many it left so when it last ran.
    """

    __tablename__ = "planner_beat"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    host: Mapped[str | None] = mapped_column(String(255))
    complete_at: Mapped[datetime | None]
    lacking: Mapped[int | None]


class Interruption(Model):
    """A time in which the planner did not run, and what it did when it came back."""

    __tablename__ = "planner_interruption"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    moved: Mapped[int]
    missed: Mapped[int]
    planned: Mapped[int]
