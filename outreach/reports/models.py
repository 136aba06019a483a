"""Tables of reports: what a clinic aims for; roll-ups of what was done."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.orm import Model
from outreach.sealing import UNREADABLE, OnceInClear


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
    plan: Mapped[str] = mapped_column(OnceInClear("report_target.plan", instead=UNREADABLE))
    due_on: Mapped[date | None]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    at: Mapped[datetime]

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


class DayCount(Model):
    """Roll-up: closed calls due on a day, by who was the caller, and its dials, by who dialled.

    ``day`` is the clinic's local one; ``caller_id`` None: nobody was the caller. Open calls are
    not in it: what becomes of them depends on the day one asks. ``rollups.py`` writes it.
    """

    __tablename__ = "report_day"
    __table_args__ = (UniqueConstraint("clinic_id", "day", "caller_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    day: Mapped[date]
    caller_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    completed: Mapped[int]
    missed: Mapped[int]
    completed_by_primary: Mapped[int]
    dials: Mapped[int]
    reached: Mapped[int]


class DialCount(Model):
    """Roll-up: closed calls due on a day that were dialled, by the dial that reached the patient.

    ``dial`` counts from 1; 0: no dial reached them.
    """

    __tablename__ = "report_dial"
    __table_args__ = (UniqueConstraint("clinic_id", "day", "dial"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    day: Mapped[date]
    dial: Mapped[int]
    calls: Mapped[int]


class WeekCount(Model):
    """Roll-up: one programme week of one enrolment that is over, as ``rules/weeks.py`` judges it.

    ``number`` counts from 1, ``last_on`` is the patient's local day, ``calls`` are completed
    ones. ``is_kept`` None: its window of two weeks was never whole. ``is_chosen``: of a phase in
    which the programme that the patient was on then lets them choose how often.
    """

    __tablename__ = "report_week"
    __table_args__ = (Index(None, "clinic_id", "last_on"),)

    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    last_on: Mapped[date]
    phase: Mapped[str] = mapped_column(String(40))
    caller_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    calls: Mapped[int]
    minutes: Mapped[int]
    is_kept: Mapped[bool | None]
    is_chosen: Mapped[bool]


class RolledClinic(Model):
    """Up to which last day the weeks of a clinic's enrolments are rolled up, unless touched.

    Who rolls a clinic up holds this row, so that nobody writes an older count over a newer one.
    """

    __tablename__ = "report_rolled"

    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    weeks_until_on: Mapped[date]


class TouchedDays(Model):
    """Something changed about these days of a clinic: until it is gone, they are counted from rows.

    Written by triggers of the database (migration 0026), in the transaction of the change, so
    that no way of writing can forget it. Appended and removed, never a row for two changes: those
    who save calls at the same time don't wait for each other. Triggers know no zones, so an
    instant touches the days beside it too. ``until_on`` None: all that follow. No foreign keys:
    what is removed touches too.
    """

    __tablename__ = "report_touched_days"
    __table_args__ = (Index(None, "clinic_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int]
    from_on: Mapped[date]
    until_on: Mapped[date | None]


class TouchedEnrolment(Model):
    """Something changed about the weeks of an enrolment, as :class:`TouchedDays` is of days."""

    __tablename__ = "report_touched_enrolment"
    __table_args__ = (Index("ix_report_touched_enrolment_in_order", "clinic_id", "enrolment_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int]
    enrolment_id: Mapped[int]
