"""Tables of questionnaires: answered, begun, and permitted."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, String, Text, UniqueConstraint
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
        return _by_number(self.answers)


class BegunQuestionnaire(Model):
    """A questionnaire that is being asked: what was answered so far, until it is saved.

    ``is_told``: a nurse was told already, since an answer did not wait for the others.
    """

    __tablename__ = "begun_questionnaire"
    __table_args__ = (UniqueConstraint("patient_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    code: Mapped[InstrumentCode]
    form_key: Mapped[str] = mapped_column(String(40))
    answers: Mapped[dict[str, Any]]
    is_told: Mapped[bool]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    @property
    def given(self) -> dict[int, int]:
        """Answers by the number of their item."""
        return _by_number(self.answers)


class InstrumentPermission(Model):
    """A permission to use a licensed questionnaire, or its withdrawal. Appended; newest counts.

    ``wording`` is the permission in its own words, or why it was withdrawn. The texts of the
    items and answers are what the owner of the questionnaire gave.
    """

    __tablename__ = "instrument_permission"
    __table_args__ = (Index(None, "code", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[InstrumentCode]
    is_given: Mapped[bool]
    granted_by: Mapped[str] = mapped_column(String(200))
    granted_on: Mapped[date | None]
    wording: Mapped[str] = mapped_column(Text)
    introduction: Mapped[str] = mapped_column(Text)
    items: Mapped[list[str]]
    answer_words: Mapped[list[str]]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


def _by_number(answers: dict[str, Any]) -> dict[int, int]:
    return {int(number): answer for number, answer in answers.items()}
