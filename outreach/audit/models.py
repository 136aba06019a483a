"""The table of the audit trail."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model


class AuditEvent(Model):
    """Somebody did something to a record. Appended, never changed; no health text inside."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "clinic_id", "at"),
        Index(None, "patient_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    action: Mapped[str] = mapped_column(String(60))
    object_kind: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int | None]


class AuditLink(Model):
    """An event's place in the chain. Appended by a job, never changed.

    A table of its own, so that events are written by many at once and never touched again.
    """

    __tablename__ = "audit_link"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(ForeignKey("audit_event.id"), unique=True)
    digest: Mapped[str] = mapped_column(String(64))


class TrailCheck(Model):
    """Whether the chain held the end that was kept of it, when that was last looked at. One row."""

    __tablename__ = "audit_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    is_whole: Mapped[bool]
