"""Tables of programmes and enrolments."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from outreach.orm import Model
from outreach.programmes.rules import EnrolmentStatus, Protocol
from outreach.sealing import Sealed

_OPEN = text("status IN ('active', 'paused', 'unreachable')")


class Programme(Model):
    """A calling programme, open to every clinic."""

    __tablename__ = "programme"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))


class ProgrammeVersion(Model):
    """A protocol as it was at one time. Enrolments keep the version they are on.

    ``note`` says why it was changed, and ``by_staff_id`` who did.
    """

    __tablename__ = "programme_version"
    __table_args__ = (UniqueConstraint("programme_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    number: Mapped[int]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text, default="")
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))

    @property
    def protocol(self) -> Protocol:
        """The protocol as a value."""
        return Protocol.from_data(self.data)


class Enrolment(Model):
    """A patient in a programme. Week 1 begins on ``starts_on``, the patient's local day.

    ``resume_on`` is the day on which a pause ends by itself, None without one. A pause that is
    to come lasts from ``away_from_on`` until the day before ``away_until_on``; nothing is
    planned into it.
    """

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
    status_reason: Mapped[str] = mapped_column(Sealed("enrolment.status_reason"))
    enrolled_at: Mapped[datetime]
    resume_on: Mapped[date | None]
    away_from_on: Mapped[date | None]
    away_until_on: Mapped[date | None]
    away_reason: Mapped[str] = mapped_column(Sealed("enrolment.away_reason"), default="")

    events: WriteOnlyMapped["EnrolmentEvent"] = relationship()


class EnrolmentBefore(Model):
    """The first day that an enrolment had until ``until_at``. Appended.

    Without one that ends later, it always had the first day that it has now.
    """

    __tablename__ = "enrolment_before"
    __table_args__ = (Index(None, "enrolment_id", "until_at"), Index(None, "patient_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    starts_on: Mapped[date]
    until_at: Mapped[datetime]


class EnrolmentEvent(Model):
    """A change of an enrolment's status or version. Appended, never changed.

    ``status`` and ``version_id`` are what holds from ``at`` on.
    """

    __tablename__ = "enrolment_event"
    __table_args__ = (Index(None, "enrolment_id", "at"), Index(None, "patient_id", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    status: Mapped[EnrolmentStatus]
    version_id: Mapped[int] = mapped_column(ForeignKey("programme_version.id"))
    reason: Mapped[str] = mapped_column(Sealed("enrolment_event.reason"))
    resume_on: Mapped[date | None]
    at: Mapped[datetime]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))


class MilestoneDone(Model):
    """A milestone of the programme (a gift, a letter) that somebody saw to."""

    __tablename__ = "milestone_done"
    __table_args__ = (UniqueConstraint("enrolment_id", "code"), Index(None, "patient_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    code: Mapped[str] = mapped_column(String(40))
    done_at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))


class CadenceChoice(Model):
    """What the patient chose for one phase, and when. Appended; the newest one counts."""

    __tablename__ = "cadence_choice"
    __table_args__ = (Index(None, "enrolment_id", "phase", "id"), Index(None, "patient_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    phase: Mapped[str] = mapped_column(String(40))
    value: Mapped[int]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    chosen_at: Mapped[datetime]
