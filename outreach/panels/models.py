"""Tables of panels: who calls whom."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.orm import Model
from outreach.panels.rules import ChangeReason

_CURRENT = text("until_at IS NULL")


class CallerProfile(Model):
    """What assignment needs to know of a caller. Cap: domain.md A3, 20 by default."""

    __tablename__ = "caller_profile"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), primary_key=True)
    panel_cap: Mapped[int]


class PanelMembership(Model):
    """``caller`` is the dedicated caller of an enrolment, from one instant to another.

    History is kept: a change ends one row and begins the next.
    """

    __tablename__ = "panel_membership"
    __table_args__ = (
        Index(
            "uq_panel_membership_current",
            "enrolment_id",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index(None, "caller_id", "until_at"),
        Index(None, "patient_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    caller_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    reason: Mapped[ChangeReason]
    note: Mapped[str] = mapped_column(Text)
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))

    caller: Mapped[StaffMember] = relationship(lazy="raise_on_sql", foreign_keys=[caller_id])
