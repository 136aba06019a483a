"""Tables of panels: who calls whom."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.orm import Model
from outreach.panels.rules import DEFAULT_WEEKLY_MINUTES, ChangeReason, LeftOut
from outreach.patients.rules import Sex
from outreach.sealing import UNREADABLE, OnceInClear, Sealed

_CURRENT = text("until_at IS NULL")
_OPEN = text("applied_at IS NULL AND dropped_at IS NULL")


class CallerProfile(Model):
    """What assignment needs to know of a caller. Cap: domain.md A3, 20 by default.

    ``weekly_minutes`` is the time they have for calls in a week. ``trained_on`` is the day
    on which their training was complete, None before: nobody is given to them until then
    (domain.md A3, 8 hours before the first call). ``days_changed_at`` is set while calls of
    their panel may stand on days on which they don't work, see ``planning.caller_days``.
    """

    __tablename__ = "caller_profile"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), primary_key=True)
    panel_cap: Mapped[int]
    weekly_minutes: Mapped[int] = mapped_column(default=DEFAULT_WEEKLY_MINUTES)
    gender: Mapped[Sex | None]
    trained_on: Mapped[date | None]
    days_changed_at: Mapped[datetime | None]


class Shift(Model):
    """Hours in which a caller works every week, on their own wall clock. 0 is Monday."""

    __tablename__ = "caller_shift"
    __table_args__ = (UniqueConstraint("staff_id", "weekday", "begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    weekday: Mapped[int]
    begins: Mapped[time]
    ends: Mapped[time]


class Absence(Model):
    """A caller is away, from one instant to another; ``ended_at``: they came back earlier."""

    __tablename__ = "caller_absence"
    __table_args__ = (Index(None, "staff_id", "until_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(OnceInClear("caller_absence.reason", instead=UNREADABLE))
    ended_at: Mapped[datetime | None]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime]


class Cover(Model):
    """``stand_in`` makes the calls of an enrolment for a while; then they come back.

    It holds from ``from_at`` until ``until_at``, or until ``ended_at`` where that is set.
    ``opened_at``: when the stand-in first read the hand-over summary, which goes before the
    first dial.
    """

    __tablename__ = "cover"
    __table_args__ = (
        Index(None, "enrolment_id", "until_at"),
        Index(None, "stand_in_id", "until_at"),
        Index(None, "absence_id"),
        Index(None, "patient_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    absence_id: Mapped[int] = mapped_column(ForeignKey("caller_absence.id"))
    stand_in_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Sealed("cover.note"))
    opened_at: Mapped[datetime | None]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    created_at: Mapped[datetime]

    stand_in: Mapped[StaffMember] = relationship(lazy="raise_on_sql", foreign_keys=[stand_in_id])


class PanelMembership(Model):
    """``caller`` is the dedicated caller of an enrolment, from one instant to another.

    History is kept: a change ends one row and begins the next. ``opened_at`` is when a new
    caller first read the hand-over summary, which goes before their first dial.
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
        Index(None, "enrolment_id", "from_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    caller_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    reason: Mapped[ChangeReason]
    note: Mapped[str] = mapped_column(Sealed("panel_membership.note"))
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    opened_at: Mapped[datetime | None]

    caller: Mapped[StaffMember] = relationship(lazy="raise_on_sql", foreign_keys=[caller_id])


class Proposal(Model):
    """Who could call whom at one clinic, worked out and shown before anything changes.

    ``facts`` is what the solver proved about it, in the shape of ``panels.proposing``.
    At most one is open per clinic.
    """

    __tablename__ = "panel_proposal"
    __table_args__ = (
        Index(
            "uq_panel_proposal_open",
            "clinic_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    made_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]]
    applied_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]


class ProposalLine(Model):
    """One enrolment of a proposal: its caller and first day, or the rule that left it out.

    ``unmet`` are the wishes that this caller doesn't meet; ``is_changed``: a manager chose.
    """

    __tablename__ = "panel_proposal_line"
    __table_args__ = (
        UniqueConstraint("proposal_id", "enrolment_id"),
        Index("ix_proposal_line_position", "proposal_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("panel_proposal.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    position: Mapped[int]
    caller_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    starts_on: Mapped[date | None]
    left_out: Mapped[LeftOut | None]
    unmet: Mapped[list[str]]
    is_changed: Mapped[bool]
