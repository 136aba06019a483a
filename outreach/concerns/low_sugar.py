"""The low-sugar card: what is read aloud with a low blood sugar, and what was said to it.

The words are the clinic's medical lead's, version by version. Until a clinic has some, the words
below are read. They advise on nothing: they ask whether the patient can do what their own care
team showed them, and keep the caller on the line until it is done or help is coming. When to
ring the emergency number stands beside the card, whatever its words.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.built_once import built_once
from outreach.concerns.models import Concern, LowSugarAnswer, LowSugarCard
from outreach.concerns.rules import ConcernKind, Finding, faults
from outreach.concerns.rules.low_sugar import lines_of
from outreach.errors import RuleBroken, Stale
from outreach.orm import insert_new
from outreach.patients.models import Patient

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "en": (
        "That is low. I am staying on the line with you.",
        "Can you treat it now, the way your care team showed you?",
        "Please do that now. I will wait. Is anybody with you?",
        "Tell me when you have treated it, or when help is coming.",
    ),
    "es": (
        "Ese valor está bajo. Me quedo en la línea con usted.",
        "¿Puede tratarlo ahora, como le enseñó su equipo de salud?",
        "Hágalo ahora, por favor. Yo espero. ¿Hay alguien con usted?",
        "Dígame cuando lo haya tratado, o cuando la ayuda esté en camino.",
    ),
    "pt-BR": (
        "Esse valor está baixo. Vou ficar na linha com você.",
        "Você consegue tratar agora, como a sua equipe de saúde ensinou?",
        "Faça isso agora, por favor. Eu espero. Tem alguém com você?",
        "Me avise quando tiver tratado, ou quando a ajuda estiver a caminho.",
    ),
}
LANGUAGES = tuple(BUILT_IN)


@dataclass(frozen=True)
class ReadAloud:
    """The words of one version; ``number`` 0 and no ``card_id``: as they come with the product."""

    language: str
    say: tuple[str, ...]
    number: int = 0
    card_id: int | None = None
    approved_by: str = ""
    approved_on: date | None = None


@dataclass(frozen=True)
class Version:
    """One version that a clinic wrote, and the name of who typed it."""

    card: LowSugarCard
    by: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The words, a line each."""
        return lines_of(self.card.say)


@dataclass(frozen=True)
class NewCard:
    """What somebody typed; ``seen_number`` is the version that they had before them."""

    say: str
    approved_by: str
    approved_on: date
    seen_number: int


@dataclass(frozen=True)
class Said:
    """What was said before the call ended, and which version stood on the page."""

    is_treated: bool
    is_help_coming: bool
    number: int

    @property
    def is_settled(self) -> bool:
        """Whether the call may end by the card: one of the two was said."""
        return self.is_treated or self.is_help_coming


@dataclass(frozen=True)
class Answered:
    """What a nurse reads of it: what was said, and what was read aloud."""

    answer: LowSugarAnswer
    read: ReadAloud

    @property
    def is_settled(self) -> bool:
        """Whether they said that it is treated, or that help is coming."""
        return self.answer.is_treated or self.answer.is_help_coming


class Unfit(RuleBroken):
    """These words can't be read aloud. ``findings`` says why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("These words can't be used.")
        self.findings = findings


class WrittenMeanwhile(Stale):
    """Somebody else changed the card after it was looked at."""


def of(session: Session, clinic_id: int, language: str) -> ReadAloud:
    """Return what is read aloud to somebody who speaks ``language``; English where it is not ours.

    A language without a card of the clinic's own has the words of the product, not the
    clinic's in another language.
    """
    spoken = _spoken(language)
    return _read(session.scalar(*_newest(clinic_id, spoken)), spoken)


@built_once
def _newest(clinic_id: Any, language: Any) -> Select[LowSugarCard]:
    return (
        select(LowSugarCard)
        .where(LowSugarCard.clinic_id == clinic_id, LowSugarCard.language == language)
        .order_by(LowSugarCard.number.desc())
        .limit(1)
    )


def history(session: Session, clinic_id: int, language: str) -> list[Version]:
    """Return the versions that a clinic wrote in one of LANGUAGES, newest first."""
    rows = session.execute(
        select(LowSugarCard, StaffMember.name)
        .join(StaffMember, StaffMember.id == LowSugarCard.by_staff_id)
        .where(LowSugarCard.clinic_id == clinic_id, LowSugarCard.language == language)
        .order_by(LowSugarCard.number.desc())
    )
    return [Version(card, by) for card, by in rows]


def write(
    session: Session,
    clinic_id: int,
    language: str,
    new: NewCard,
    *,
    by_staff_id: int,
    now: datetime,
) -> int:
    """Let a clinic's card say this from now on; return its number. Does not commit.

    Raises:
        Unfit: it can't be read aloud as it is, or names a dose.
        WrittenMeanwhile: somebody else wrote a version after ``seen_number``.
    """
    found = faults(new.say)
    if found:
        raise Unfit(found)
    number = new.seen_number + 1
    row = {
        "clinic_id": clinic_id,
        "language": language,
        "number": number,
        "say": "\n".join(lines_of(new.say)),
        "approved_by": new.approved_by.strip(),
        "approved_on": new.approved_on,
        "at": now,
        "by_staff_id": by_staff_id,
    }
    is_newest = of(session, clinic_id, language).number == new.seen_number
    if not is_newest or not insert_new(session, LowSugarCard, [row]):
        raise WrittenMeanwhile("Somebody else changed this card. Look at it again.")
    return number


def note_answer(
    session: Session,
    patient: Patient,
    reading_ids: Collection[int],
    said: Said,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Keep with the concern that these readings raised what was said. Does not commit.

    Nothing is kept where they raised none of a low blood sugar.
    """
    concern_id = session.scalar(
        select(Concern.id).where(
            Concern.patient_id == patient.id,
            Concern.kind == ConcernKind.GLUCOSE_LOW,
            Concern.reading_id.in_(reading_ids),
        )
    )
    if concern_id is None:
        return
    spoken = _spoken(patient.language)
    row = {
        "concern_id": concern_id,
        "card_id": _card_id(session, patient.clinic_id, spoken, said.number),
        "language": spoken,
        "is_treated": said.is_treated,
        "is_help_coming": said.is_help_coming,
        "at": now,
        "by_staff_id": by_staff_id,
    }
    insert_new(session, LowSugarAnswer, [row])


def answers_of(session: Session, concern_ids: Collection[int]) -> dict[int, Answered]:
    """Return what was said, by concern, of those with which a card was read. One statement."""
    rows = session.execute(
        select(LowSugarAnswer, LowSugarCard)
        .outerjoin(LowSugarCard, LowSugarCard.id == LowSugarAnswer.card_id)
        .where(LowSugarAnswer.concern_id.in_(concern_ids))
        .order_by(LowSugarAnswer.concern_id)
    )
    return {
        answer.concern_id: Answered(answer, _read(card, answer.language)) for answer, card in rows
    }


def _card_id(session: Session, clinic_id: int, language: str, number: int) -> int | None:
    return session.scalar(
        select(LowSugarCard.id).where(
            LowSugarCard.clinic_id == clinic_id,
            LowSugarCard.language == language,
            LowSugarCard.number == number,
        )
    )


def _spoken(language: str) -> str:
    return language if language in BUILT_IN else "en"


def _read(card: LowSugarCard | None, language: str) -> ReadAloud:
    if card is None:
        return ReadAloud(language, BUILT_IN[language])
    return ReadAloud(
        language, lines_of(card.say), card.number, card.id, card.approved_by, card.approved_on
    )
