"""Tables of goals."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from outreach.goals.rules import GoalArea, GoalEnding
from outreach.orm import Model
from outreach.sealing import Sealed


class Goal(Model):
    """Something a patient wants, in their own words, until it ends. Never edited."""

    __tablename__ = "goal"
    __table_args__ = (Index(None, "patient_id", "ended_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    area: Mapped[GoalArea]
    text: Mapped[str] = mapped_column(Sealed("goal.text"))
    set_at: Mapped[datetime]
    set_by_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    ending: Mapped[GoalEnding | None]


class GoalNews(Model):
    """How a goal goes, as told on one call. Appended."""

    __tablename__ = "goal_news"
    __table_args__ = (
        Index(None, "goal_id", "id"),
        Index(None, "attempt_id"),
        Index(None, "patient_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    goal_id: Mapped[int] = mapped_column(ForeignKey("goal.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    text: Mapped[str] = mapped_column(Sealed("goal_news.text"))
    at: Mapped[datetime]
