"""Tables of what is kept how long: holds, requests, a clinic's years."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.orm import Model
from outreach.patients.models import Patient
from outreach.retention.rules import AskedBy, Decision, Ground
from outreach.sealing import Sealed

_ON = text("lifted_at IS NULL")
_OPEN = text("decided_at IS NULL")


class LegalHold(Model):
    """Nothing of this patient is removed until it is lifted. At most one holds at a time."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        Index(
            "uq_legal_hold_on", "patient_id", unique=True, sqlite_where=_ON, postgresql_where=_ON
        ),
        Index(None, "clinic_id", "lifted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str] = mapped_column(Sealed("legal_hold.reason"))
    placed_at: Mapped[datetime]
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    lifting_reason: Mapped[str] = mapped_column(Sealed("legal_hold.lifting_reason"), default="")

    patient: Mapped[Patient] = relationship(lazy="raise_on_sql")
    placed_by: Mapped[StaffMember] = relationship(lazy="raise_on_sql", foreign_keys=[placed_by_id])
    lifted_by: Mapped[StaffMember | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[lifted_by_id]
    )


class DeletionRequest(Model):
    """Somebody asked that a patient's data be deleted. Never removed itself.

    ``asked_on`` is the day on which they asked, at the clinic. ``note`` says how and by whom,
    ``ground`` and ``explanation`` why it was refused. ``done_at``: the data are gone.
    Who noted it does not decide it. At most one is open per patient.
    """

    __tablename__ = "deletion_request"
    __table_args__ = (
        Index(
            "uq_deletion_request_open",
            "patient_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(None, "patient_id"),
        Index(None, "clinic_id", "decided_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    asked_by: Mapped[AskedBy]
    asked_on: Mapped[date]
    note: Mapped[str] = mapped_column(Sealed("deletion_request.note"))
    noted_at: Mapped[datetime]
    noted_by_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    decision: Mapped[Decision | None]
    ground: Mapped[Ground | None]
    explanation: Mapped[str] = mapped_column(Sealed("deletion_request.explanation"), default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    done_at: Mapped[datetime | None]

    patient: Mapped[Patient] = relationship(lazy="raise_on_sql")
    noted_by: Mapped[StaffMember] = relationship(lazy="raise_on_sql", foreign_keys=[noted_by_id])
    decided_by: Mapped[StaffMember | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[decided_by_id]
    )


class RetentionSetting(Model):
    """After how many years without a part in the programme a clinic anonymises. No row: never."""

    __tablename__ = "retention_setting"

    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    years: Mapped[int | None]
    changed_at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
