"""Tables of reports: what a clinic aims for."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.orm import Model


class Target(Model):
    """What a clinic aims for in one measure, and what it does about it. Appended; newest counts.

    ``measure`` is the name in addresses ("completion"); ``share`` is a proportion, None where
    the clinic aims for nothing any longer. ``number`` counts from 1 for each measure, so that
    two who write at once can't both be the newest.
    """

    __tablename__ = "report_target"
    __table_args__ = (UniqueConstraint("clinic_id", "measure", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    measure: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]
    share: Mapped[Decimal | None] = mapped_column(Numeric(4, 3))
    plan: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date | None]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")
