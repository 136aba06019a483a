"""Tables of questionnaires: answered, begun, and permitted."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.accounts.models import StaffMember
from outreach.measures.rules import ReadingSource
from outreach.orm import Model
from outreach.questionnaires.rules import Gap, InstrumentCode, Skip
from outreach.sealing import APPROVERS


class _Answers:
    """What was said to the items of a questionnaire. JSON has text for keys; items have numbers."""

    answers: Mapped[dict[str, Any]]
    skipped: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))

    @property
    def given(self) -> dict[int, int]:
        """Answers by the number of their item."""
        return {int(number): answer for number, answer in self.answers.items()}

    @property
    def why_skipped(self) -> dict[int, Skip]:
        """Why an item was asked and not answered, by its number."""
        return {int(number): Skip(reason) for number, reason in self.skipped.items()}


class Questionnaire(_Answers, Model):
    """One questionnaire as it was answered. Appended; ``form_key`` makes a double save one.

    ``answers`` maps the number of an item, as text, to its answer; an item that is not there
    was not answered; ``skipped`` says why, where it was asked. ``score`` is empty where there is
    none, and ``gap`` says why.
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
    score: Mapped[Decimal | None] = mapped_column(Numeric(5, 1))
    is_prorated: Mapped[bool]
    gap: Mapped[Gap | None]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


class BegunQuestionnaire(_Answers, Model):
    """A questionnaire that is being asked: what was answered so far, until it is saved.

    ``is_told``: a nurse was told already, since an answer did not wait for the others.
    ``source``: how the last answer was had, on a call or by staff outside one.
    """

    __tablename__ = "begun_questionnaire"
    __table_args__ = (UniqueConstraint("patient_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    code: Mapped[InstrumentCode]
    form_key: Mapped[str] = mapped_column(String(40))
    is_told: Mapped[bool]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    source: Mapped[ReadingSource] = mapped_column(server_default=ReadingSource.CALL.value)


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
    granted_by: Mapped[str] = mapped_column(APPROVERS)
    granted_on: Mapped[date | None]
    wording: Mapped[str] = mapped_column(Text)
    introduction: Mapped[str] = mapped_column(Text)
    items: Mapped[list[str]]
    answer_words: Mapped[list[str]]
    at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))

    by: Mapped[StaffMember] = relationship(lazy="raise_on_sql")


def by_text(said: Mapping[int, int] | Mapping[int, Skip]) -> dict[str, Any]:
    """Return answers, or reasons why there are none, as their column keeps them."""
    return {str(number): each for number, each in sorted(said.items())}
