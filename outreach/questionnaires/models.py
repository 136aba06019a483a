"""The table of questionnaires that were answered."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.orm import Model
from outreach.questionnaires.rules import Gap, InstrumentCode


class Questionnaire(Model):
    """One questionnaire as it was answered. Appended; ``form_key`` makes a double save one.

    ``answers`` maps the number of an item, as text, to its answer; an item that is not there
    was not answered. ``score`` is empty where there is none, and ``gap`` says why.
    """

    __tablename__ = "questionnaire"
    __table_args__ = (
        Index("ix_questionnaire_patient", "patient_id", "code", "at"),
        Index(None, "clinic_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    form_key: Mapped[str] = mapped_column(String(40), unique=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    code: Mapped[InstrumentCode]
    answers: Mapped[dict[str, Any]]
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 1))
    is_prorated: Mapped[bool]
    gap: Mapped[Gap | None]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")

    @property
    def given(self) -> dict[int, int]:
        """Answers by the number of their item."""
        return {int(number): answer for number, answer in self.answers.items()}
