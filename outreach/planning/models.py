"""The table of planned calls."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.planning.rules import CallStatus

_OPEN = text("status = 'planned'")


class PlannedCall(Model):
    """One contact of the programme: due on a day, tried until ``complete_by_on``.

    Days are the patient's local ones. ``dial_from_at`` and ``dial_until_at`` bound the
    stretch in which to dial next; ``is_agreed`` means that the patient asked for it.
    ``dials`` counts attempts. At most one is open per enrolment, which the database holds.
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
