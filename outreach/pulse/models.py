"""Tables of how callers are."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from outreach.orm import Model
from outreach.sealing import Sealed, SealedJSON


class PulseAnswer(Model):
    """What somebody answered in one month, or that they did not want to (None)."""

    __tablename__ = "pulse_answer"
    __table_args__ = (UniqueConstraint("staff_id", "month"), Index(None, "month"))

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    month: Mapped[date]  # its first day
    answer: Mapped[str | None] = mapped_column(Sealed("pulse_answer.answer"))
    answered_at: Mapped[datetime]


class WorkLifeAnswer(Model):
    """How somebody answered the questionnaire on their working life in one quarter.

    ``answers`` maps the number of an item, as text, to its answer.
    """

    __tablename__ = "work_life_answer"
    __table_args__ = (UniqueConstraint("staff_id", "quarter"), Index(None, "quarter"))

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    quarter: Mapped[date]  # its first day
    answers: Mapped[dict[str, Any]] = mapped_column(SealedJSON("work_life_answer.answers"))
    answered_at: Mapped[datetime]

    @property
    def given(self) -> Mapping[int, int]:
        """Answers by the number of their item."""
        return {int(number): answer for number, answer in self.answers.items()}


class SupportRequest(Model):
    """Somebody wants to talk; a manager says when they have. One is open at a time."""

    __tablename__ = "support_request"
    __table_args__ = (
        Index(
            "uq_support_request_open",
            "staff_id",
            unique=True,
            sqlite_where=text("spoken_at IS NULL"),
            postgresql_where=text("spoken_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    asked_at: Mapped[datetime]
    spoken_at: Mapped[datetime | None]
    spoken_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
