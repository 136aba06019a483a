"""What was answered to each question, read later: beside other readings, and behind a concern."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.concerns.models import Concern
from outreach.questionnaires import licences
from outreach.questionnaires.item_by_item import LATE
from outreach.questionnaires.models import BegunQuestionnaire, Questionnaire
from outreach.questionnaires.rules import (
    INSTRUMENTS,
    Gap,
    Instrument,
    InstrumentCode,
    PartScore,
    Review,
    Skip,
    part_scores,
    profile,
    review_of,
    score,
)

COMPARED = 5  # askings of one questionnaire, side by side


@dataclass(frozen=True)
class Asked:
    """One questionnaire as it was answered, in the words in which it was asked.

    ``is_open``: it is still being asked, and has no score yet. ``is_told_late``: what a nurse
    was told of was said after the score, and is not among the answers.
    """

    id: int
    instrument: Instrument
    at: datetime
    by: str
    given: Mapping[int, int]
    skipped: Mapping[int, Skip]
    value: Decimal | None = None
    is_prorated: bool = False
    gap: Gap | None = None
    is_open: bool = False
    is_told_late: bool = False

    @property
    def missing(self) -> Sequence[int]:
        """The numbers of the scored questions without an answer."""
        return score(self.instrument, self.given).missing

    @property
    def harm(self) -> int | None:
        """The number of the question about self-harm, where the answer was more than none."""
        is_harm = review_of(self.instrument, self.given) is Review.NOW
        return self.instrument.safety_item if is_harm else None

    @property
    def parts(self) -> Sequence[PartScore]:
        """What was scored of each part, for a questionnaire that has some."""
        return () if self.is_open else part_scores(self.instrument, self.given)

    @property
    def profile(self) -> str | None:
        """The answers side by side, for a questionnaire that has no score of its own."""
        return profile(self.instrument, self.given) if self.gap is Gap.NO_INDEX else None


def rows(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select how a patient answered questionnaires, newest first."""
    return (
        select(
            Questionnaire.id,
            Questionnaire.at,
            Questionnaire.code,
            Questionnaire.answers,
            Questionnaire.skipped,
            Questionnaire.score,
            Questionnaire.is_prorated,
            Questionnaire.gap,
            StaffMember.name.label("by"),
        )
        .join(StaffMember, StaffMember.id == Questionnaire.by_staff_id)
        .where(Questionnaire.patient_id == patient_id)
        .order_by(Questionnaire.at.desc(), Questionnaire.id.desc())
    )


def shown(session: Session, found: Sequence[Row[*tuple[Any, ...]]]) -> dict[int, Asked]:
    """Return what `rows` found as it is shown, by its number; in one statement at most."""
    worded = _wordings(session, [(row.code, row.at) for row in found])
    return {
        row.id: Asked(
            row.id,
            worded[row.code, row.at],
            row.at,
            row.by,
            _given(row.answers),
            _skipped(row.skipped),
            row.score,
            row.is_prorated,
            row.gap,
        )
        for row in found
    }


def compared(session: Session, patient_id: int) -> Mapping[InstrumentCode, Sequence[Asked]]:
    """Return the last askings of each questionnaire, newest first; the latest asked one first."""
    place = func.row_number().over(
        partition_by=Questionnaire.code,
        order_by=(Questionnaire.at.desc(), Questionnaire.id.desc()),
    )
    last = (
        select(Questionnaire.id, place.label("place"))
        .where(Questionnaire.patient_id == patient_id)
        .subquery()
    )
    wanted = rows(patient_id).join(last, last.c.id == Questionnaire.id)
    found = session.execute(wanted.where(last.c.place <= COMPARED)).all()
    by_code: dict[InstrumentCode, list[Asked]] = defaultdict(list)
    for asked in shown(session, found).values():
        by_code[asked.instrument.code].append(asked)
    return by_code


def behind(session: Session, concern: Concern) -> Asked | None:
    """Return the questionnaire that raised a concern, as far as it is answered by now."""
    if concern.asking_key is None:
        return None
    wanted = rows(concern.patient_id).where(Questionnaire.form_key == concern.asking_key)
    found = session.execute(wanted).all()
    kept = next(iter(shown(session, found).values()), None)
    if kept is None:
        return _begun(session, concern)
    return replace(kept, is_told_late=(concern.form_key or "").startswith(LATE))


def _begun(session: Session, concern: Concern) -> Asked | None:
    row = session.execute(
        select(BegunQuestionnaire, StaffMember.name)
        .join(StaffMember, StaffMember.id == BegunQuestionnaire.by_staff_id)
        .where(
            BegunQuestionnaire.patient_id == concern.patient_id,
            BegunQuestionnaire.form_key == concern.asking_key,
        )
    ).first()
    if row is None:
        return None
    begun, by = row
    worded = _wordings(session, [(begun.code, begun.at)])[begun.code, begun.at]
    return Asked(begun.id, worded, begun.at, by, begun.given, begun.why_skipped, is_open=True)


def _wordings(
    session: Session, asked: Sequence[tuple[InstrumentCode, datetime]]
) -> Mapping[tuple[InstrumentCode, datetime], Instrument]:
    """Return each questionnaire in the words that it had at a time."""
    licensed = {code for code, _at in asked if INSTRUMENTS[code].is_licensed}
    stated = licences.stated(session, licensed) if licensed else []
    return {(code, at): licences.worded_at(INSTRUMENTS[code], stated, at=at) for code, at in asked}


def _given(answers: Mapping[str, Any]) -> Mapping[int, int]:
    return {int(number): answer for number, answer in answers.items()}


def _skipped(reasons: Mapping[str, Any]) -> Mapping[int, Skip]:
    return {int(number): Skip(reason) for number, reason in reasons.items()}
