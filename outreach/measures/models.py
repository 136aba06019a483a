"""The table of measured values."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Numeric, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.measures.rules import Bound, MeasureKind, ReadingSource, Sign
from outreach.orm import Model
from outreach.sealing import Sealed


class Reading(Model):
    """One measured value. Never edited: a correction is a new row that supersedes this one.

    ``value`` is in the canonical unit of ``kind``; ``entered_value`` and ``entered_unit``
    are what was typed or received. ``taken_at`` is when the body was measured (local noon
    where only the day is known), ``recorded_at`` when we heard of it. ``external_key``
    makes the same reading from the same source one row.

    ``bound`` is what a meter showed instead of a number (HI, LO). ``signs`` is what was said
    with the reading, ``begins_on`` the first day of a value over several days. A correction
    says why in ``reason``; with ``is_void`` the reading it supersedes was entered in error,
    and nothing stands in its place. ``is_unreliable``: the body makes the value doubtful, as
    a transfusion does an HbA1c. ``withdrawn_at``: the call it was told in was taken back.
    """

    __tablename__ = "reading"
    __table_args__ = (
        UniqueConstraint("patient_id", "external_key"),
        Index(None, "patient_id", "kind", "taken_at"),
        Index(None, "clinic_id", "kind", "taken_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"))
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("reading.id"), unique=True)
    kind: Mapped[MeasureKind]
    value: Mapped[Decimal] = mapped_column(Numeric(9, 3))
    entered_value: Mapped[str] = mapped_column(String(40))
    entered_unit: Mapped[str] = mapped_column(String(20))
    taken_at: Mapped[datetime]
    is_time_known: Mapped[bool]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    source: Mapped[ReadingSource]
    external_key: Mapped[str | None] = mapped_column(String(200))
    bound: Mapped[Bound | None]
    signs: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    begins_on: Mapped[date | None]
    is_unreliable: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_void: Mapped[bool] = mapped_column(default=False, server_default=false())
    withdrawn_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Sealed("reading.reason"), default="")

    @property
    def said(self) -> frozenset[Sign]:
        """What was said with the reading."""
        return frozenset(map(Sign, self.signs or ()))


class LatestReading(Model):
    """A patient's last reading of a kind that counts, beside its history; ``newest`` keeps it.

    ``value`` and ``taken_at`` are those of ``reading_id``, so that a list can be filtered and
    sorted by them without reading histories.
    """

    __tablename__ = "latest_reading"
    __table_args__ = (
        Index(None, "kind", "value"),
        Index(None, "kind", "taken_at"),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    kind: Mapped[MeasureKind] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    reading_id: Mapped[int] = mapped_column(ForeignKey("reading.id"), unique=True)
    value: Mapped[Decimal] = mapped_column(Numeric(9, 3))
    taken_at: Mapped[datetime]
