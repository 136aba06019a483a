"""Tables of concerns."""

from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.concerns.rules import (
    ConcernKind,
    ConcernStatus,
    Limits,
    Needed,
    OnCallRank,
    RiskKind,
    StepKind,
    Turn,
    Urgency,
)
from outreach.measures.rules import MeasureKind
from outreach.orm import Model
from outreach.patients.models import Patient
from outreach.patients.rules import weekdays_from_mask
from outreach.sealing import APPROVERS, Sealed


class Concern(Model):
    """Something worrying about one patient, until somebody has dealt with it.

    ``form_key`` makes a page that is sent twice one concern. ``asking_key`` names the asking of
    a questionnaire that it came from. ``reopened_at`` is when it last began to wait anew.
    """

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
    form_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    asking_key: Mapped[str | None] = mapped_column(String(40))
    acknowledged_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    reviewed_at: Mapped[datetime | None]
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    reopened_at: Mapped[datetime | None]
    times_reopened: Mapped[int] = mapped_column(default=0)

    patient: Mapped[Patient] = relationship(lazy="raise_on_sql")
    acknowledged_by: Mapped[StaffMember | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[acknowledged_by_id]
    )
    closed_by: Mapped[StaffMember | None] = relationship(
        lazy="raise_on_sql", foreign_keys=[closed_by_id]
    )

    @property
    def waits_since(self) -> datetime:
        """Since when somebody has been asked to take it on."""
        return self.reopened_at or self.raised_at

    @property
    def waits_for_review(self) -> bool:
        """Whether a second person has yet to look at how it was closed."""
        is_urgent = self.urgency is Urgency.NOW
        return is_urgent and self.status is ConcernStatus.CLOSED and self.reviewed_at is None


class ConcernStep(Model):
    """One thing that happened to a concern, with who did it. Appended only."""

    __tablename__ = "concern_step"
    __table_args__ = (Index(None, "concern_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id"))
    kind: Mapped[StepKind]
    note: Mapped[str] = mapped_column(Sealed("concern_step.note"))
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


class OnCallWeek(Model):
    """Somebody is on call at the same hours of every week. See :class:`rules.Turn`."""

    __tablename__ = "on_call_week"
    __table_args__ = (Index(None, "clinic_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    rank: Mapped[OnCallRank]
    weekdays: Mapped[int]
    begins: Mapped[time]
    ends: Mapped[time]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))

    staff: Mapped[StaffMember] = relationship(lazy="raise_on_sql", foreign_keys=[staff_id])

    @property
    def turn(self) -> Turn:
        """The hours, as the rules take them."""
        days = weekdays_from_mask(self.weekdays)
        return Turn(days, self.begins, self.ends, self.from_on, self.until_on)


class ClinicSafety(Model):
    """How one clinic keeps its net: who must be on call, and who leads where nobody is.

    A clinic without a row needs anybody and has no lead.
    """

    __tablename__ = "clinic_safety"

    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), primary_key=True)
    needed: Mapped[Needed]
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))


class CrisisCard(Model):
    """What to do and say now, and whom to ring, in one language at one clinic."""

    __tablename__ = "crisis_card"
    __table_args__ = (UniqueConstraint("clinic_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    language: Mapped[str] = mapped_column(String(10))
    emergency: Mapped[str] = mapped_column(String(40))
    lifeline: Mapped[str] = mapped_column(String(40))
    lifeline_hint: Mapped[str] = mapped_column(String(200))
    say: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))


class LowSugarCard(Model):
    """What is read aloud with a low blood sugar, as a clinic's medical lead approved it.

    One version in one language. Appended, never changed: the highest ``number`` counts, and a
    call's record names the one that was read. Where there is none, the words that come with
    the product count: they are number 0. ``approved_by`` is the medical lead, who need not be
    the one who typed it.
    """

    __tablename__ = "low_sugar_card"
    __table_args__ = (UniqueConstraint("clinic_id", "language", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    language: Mapped[str] = mapped_column(String(10))
    number: Mapped[int]
    say: Mapped[str] = mapped_column(Text)
    approved_by: Mapped[str] = mapped_column(APPROVERS)
    approved_on: Mapped[date]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))


class LowSugarAnswer(Model):
    """What was said of a low blood sugar before the call ended. One a concern.

    Neither box ticked: nobody has said either. ``card_id`` is the version of the card that was
    read, None for the words that come with the product, in ``language``.
    """

    __tablename__ = "low_sugar_answer"

    concern_id: Mapped[int] = mapped_column(ForeignKey("concern.id"), primary_key=True)
    card_id: Mapped[int | None] = mapped_column(ForeignKey("low_sugar_card.id"))
    language: Mapped[str] = mapped_column(String(10))
    is_treated: Mapped[bool]
    is_help_coming: Mapped[bool]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))


class RiskFlag(Model):
    """What to know about a patient before dialling; looked at again by a day, never dropped."""

    __tablename__ = "risk_flag"
    __table_args__ = (Index(None, "patient_id"), Index(None, "clinic_id", "review_on"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[RiskKind]
    words: Mapped[str] = mapped_column(Sealed("risk_flag.words"))
    raised_at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    review_on: Mapped[date]
    ended_at: Mapped[datetime | None]

    patient: Mapped[Patient] = relationship(lazy="raise_on_sql")


class RiskReview(Model):
    """One look at a flag: kept until another day, or, without ``review_on``, ended."""

    __tablename__ = "risk_flag_review"
    __table_args__ = (Index(None, "flag_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    flag_id: Mapped[int] = mapped_column(ForeignKey("risk_flag.id"))
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    note: Mapped[str] = mapped_column(Sealed("risk_flag_review.note"))
    review_on: Mapped[date | None]

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


class OwnLimits(Model):
    """What a nurse wants to hear of, for one patient and one measure. Appended only.

    The newest of a measure holds, until ``until_on`` (the clinic's day, included) where there
    is one; without ``low`` and ``high`` it takes the limits away. Values are in the canonical
    unit, ``unit`` is the one in which they were set. ``number`` counts the settings of a
    measure, so that of two nurses at once one is told of the other.
    """

    __tablename__ = "own_limits"
    __table_args__ = (UniqueConstraint("patient_id", "kind", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[MeasureKind]
    number: Mapped[int]
    low: Mapped[Decimal | None] = mapped_column(Numeric(9, 3))
    high: Mapped[Decimal | None] = mapped_column(Numeric(9, 3))
    unit: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Sealed("own_limits.reason"))
    until_on: Mapped[date | None]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")

    @property
    def limits(self) -> Limits | None:
        """The limits as the rules take them; None where this setting took them away."""
        return None if self.low is None and self.high is None else Limits(self.low, self.high)

    def holds_on(self, day: date) -> bool:
        """Say whether there are limits, and ``day`` is not past their last one."""
        return self.limits is not None and (self.until_on is None or day <= self.until_on)
