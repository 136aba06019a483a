"""Tables of concerns."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.concerns.rules import ConcernKind, ConcernStatus, OnCallRank, StepKind, Urgency
from outreach.orm import Model
from outreach.patients.models import Patient


class Concern(Model):
    """Something worrying about one patient, until somebody has dealt with it."""

    __tablename__ = "concern"
    __table_args__ = (Index(None, "clinic_id", "status"), Index(None, "patient_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    reading_id: Mapped[int | None] = mapped_column(ForeignKey("reading.id"))
    kind: Mapped[ConcernKind]
    urgency: Mapped[Urgency]
    status: Mapped[ConcernStatus]
    raised_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    patient: Mapped[Patient] = relationship(lazy="raise_on_sql")


class ConcernStep(Model):
    """One thing that happened to a concern, with who did it. Appended only."""

    __tablename__ = "concern_step"
    __table_args__ = (Index(None, "concern_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id"))
    kind: Mapped[StepKind]
    note: Mapped[str] = mapped_column(Text)
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]

    by: Mapped[StaffMember | None] = relationship(lazy="raise_on_sql")


class OnCall(Model):
    """Somebody is on call at a clinic for a while, in one rank: first, backup or lead."""

    __tablename__ = "on_call"
    __table_args__ = (Index(None, "clinic_id", "until_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    rank: Mapped[OnCallRank]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))

    staff: Mapped[StaffMember] = relationship(lazy="raise_on_sql", foreign_keys=[staff_id])


class Alert(Model):
    """Somebody was told of a concern, or, without ``staff``, nobody could be. One a round."""

    __tablename__ = "concern_alert"
    __table_args__ = (UniqueConstraint("concern_id", "round", "staff_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id"))
    round: Mapped[int]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]

    staff: Mapped[StaffMember | None] = relationship(lazy="raise_on_sql")
