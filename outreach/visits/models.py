"""The table of visits."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.visits.rules import VisitKind


class Visit(Model):
    """A visit that took place, as the clinic's record says; it comes with imports. Never edited.

    ``took_place_on`` is the patient's local day, ``at`` the instant it began, local noon where
    only the day is known. ``external_key`` makes the same visit from the same source one row;
    it goes when the patient is anonymised. ``recorded_at`` is when we heard of it.
    """

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("patient_id", "external_key"),
        Index(None, "patient_id", "took_place_on"),
        Index(None, "clinic_id", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    took_place_on: Mapped[date]
    at: Mapped[datetime]
    kind: Mapped[VisitKind]
    external_key: Mapped[str | None] = mapped_column(String(200))
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
