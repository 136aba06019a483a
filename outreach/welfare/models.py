"""Tables of welfare checks. The check itself is a follow-up of ``planning``."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.orm import Model
from outreach.sealing import NAME_BYTES, Sealed
from outreach.welfare.rules import Outcome, StepKind


class WelfareStep(Model):
    """One thing that was tried in a check, or, with ``outcome``, how it ended. Appended only."""

    __tablename__ = "welfare_step"
    __table_args__ = (Index(None, "follow_up_id", "id"), Index(None, "patient_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    follow_up_id: Mapped[int] = mapped_column(ForeignKey("follow_up.id"))
    kind: Mapped[StepKind]
    outcome: Mapped[Outcome | None]
    note: Mapped[str] = mapped_column(Sealed("welfare_step.note"))
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


class EmergencyContact(Model):
    """Whom to ring about a patient whom nobody reaches. Appended; the newest one counts.

    Only where ``is_agreed``, as the patient told one of the staff, does anybody ring them.
    Without a name the patient wants nobody rung.
    """

    __tablename__ = "emergency_contact"
    __table_args__ = (Index(None, "patient_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    name: Mapped[str] = mapped_column(Sealed("emergency_contact.name", NAME_BYTES))
    relation: Mapped[str] = mapped_column(Sealed("emergency_contact.relation"))
    e164: Mapped[str] = mapped_column(Sealed("emergency_contact.e164"))
    is_agreed: Mapped[bool]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")

    @property
    def may_be_rung(self) -> bool:
        """Whether there is somebody, and the patient agreed to it."""
        return bool(self.name and self.e164) and self.is_agreed
