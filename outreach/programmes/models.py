"""Tables of programmes and enrolments."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.programmes.rules import EnrolmentStatus, Protocol

_OPEN = text("status IN ('active', 'paused', 'unreachable')")


class Programme(Model):
    """A calling programme, open to every clinic."""

    __tablename__ = "programme"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))


class ProgrammeVersion(Model):
    """A protocol as it was at one time. Enrolments keep the version they are on."""

    __tablename__ = "programme_version"
    __table_args__ = (UniqueConstraint("programme_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    number: Mapped[int]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]

    @property
    def protocol(self) -> Protocol:
        """The protocol as a value."""
        return Protocol.from_data(self.data)


class Enrolment(Model):
    """A patient in a programme. Week 1 begins on ``starts_on``, the patient's local day."""

    __tablename__ = "enrolment"
    __table_args__ = (
        Index(
            "uq_enrolment_open",
            "patient_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(None, "clinic_id", "status"),
        Index(None, "patient_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("programme_version.id"))
    starts_on: Mapped[date]
    status: Mapped[EnrolmentStatus]
    status_at: Mapped[datetime]
    status_reason: Mapped[str] = mapped_column(String(200))
    enrolled_at: Mapped[datetime]


class CadenceChoice(Model):
    """What the patient chose for one phase, and when. Appended; the newest one counts."""

    __tablename__ = "cadence_choice"
    __table_args__ = (Index(None, "enrolment_id", "phase", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    phase: Mapped[str] = mapped_column(String(40))
    value: Mapped[int]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    chosen_at: Mapped[datetime]
