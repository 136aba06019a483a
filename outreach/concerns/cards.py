"""What to do and say while somebody is in danger: numbers and words of a clinic, by language.

The defaults are for the United States: 911, and the 988 Suicide & Crisis Lifeline, which is
answered in Spanish after a 2. A clinic keeps its own; its medical lead approves them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from outreach.built_once import built_once
from outreach.concerns.models import CrisisCard
from outreach.orm import insert_new


@dataclass(frozen=True)
class Card:
    """Numbers to ring, and what to say in the patient's language, a line each."""

    emergency: str
    lifeline: str
    lifeline_hint: str
    say: tuple[str, ...]


DEFAULTS = {
    "en": Card(
        "911",
        "988",
        "call or text, day and night",
        (
            "I am glad you told me. I am staying on the line with you.",
            "Are you safe right now? Where are you?",
            "I am telling our nurse now, so that you are not alone with this.",
        ),
    ),
    "es": Card(
        "911",
        "988",
        "call, then press 2 for Spanish, day and night",
        (
            "Gracias por decírmelo. Me quedo en la línea con usted.",
            "¿Está a salvo en este momento? ¿Dónde está?",
            "Estoy avisando ahora a nuestra enfermera. Estamos con usted.",
        ),
    ),
    "pt-BR": Card(
        "911",
        "988",
        "call and ask for an interpreter, day and night",
        (
            "Que bom que me contou. Vou ficar na linha com você.",
            "Você está em segurança agora? Onde você está?",
            "Estou avisando a nossa enfermeira agora. Você não está só.",
        ),
    ),
}
LANGUAGES = tuple(DEFAULTS)


def of(session: Session, clinic_id: int, language: str) -> Card:
    """Return a clinic's card in a language, or in English where there is none."""
    spoken = language if language in DEFAULTS else "en"
    kept = session.scalar(*_card_of(clinic_id, spoken))
    if kept is None:
        return DEFAULTS[spoken]
    return Card(kept.emergency, kept.lifeline, kept.lifeline_hint, tuple(kept.say.splitlines()))


@built_once
def _card_of(clinic_id: Any, language: Any) -> Select[CrisisCard]:
    return select(CrisisCard).where(
        CrisisCard.clinic_id == clinic_id, CrisisCard.language == language
    )


def keep(
    session: Session,
    clinic_id: int,
    language: str,
    card: Card,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Keep a clinic's own card in one of LANGUAGES. Does not commit."""
    values = {
        "emergency": card.emergency,
        "lifeline": card.lifeline,
        "lifeline_hint": card.lifeline_hint,
        "say": "\n".join(card.say),
        "changed_at": now,
        "by_staff_id": by_staff_id,
    }
    row = {"clinic_id": clinic_id, "language": language, **values}
    if not insert_new(session, CrisisCard, [row]):
        session.execute(
            update(CrisisCard)
            .where(CrisisCard.clinic_id == clinic_id, CrisisCard.language == language)
            .values(**values)
        )
