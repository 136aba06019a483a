"""What a caller sees of the safety net while they are on the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, joinedload

from outreach import absent
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.built_once import built_once
from outreach.concerns import alerting, cards, flags, low_sugar, readiness
from outreach.concerns.cards import Card
from outreach.concerns.low_sugar import Answered, ReadAloud
from outreach.concerns.models import Concern, RiskFlag
from outreach.concerns.readiness import Watch
from outreach.concerns.rules import ROUND_EVERY, ConcernKind, ConcernStatus, Urgency
from outreach.measures.models import Reading
from outreach.patients import registry
from outreach.patients.models import Patient

# A closed one stays in view for the rest of the call; an open one for as long as it is open.
CLOSED_SHOWN_FOR = timedelta(hours=2)
MOST_SHOWN = 5


@dataclass(frozen=True)
class Watched:
    """One concern as its caller follows it: who was told by text, and who took it on.

    ``low_answer`` is what was said to the low-sugar card, where that was read.
    """

    concern: Concern
    told: Sequence[str]
    low_answer: Answered | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has taken it on yet."""
        return self.concern.status is ConcernStatus.OPEN

    @property
    def is_texted(self) -> bool:
        """Whether people are told of it by text; the rest waits on the nurses' page."""
        return self.concern.urgency in ROUND_EVERY


@dataclass(frozen=True)
class Safety:
    """What the call screen shows of the net."""

    card: Card
    low_sugar: ReadAloud
    watch: Watch
    ring_back: str
    watched: Sequence[Watched]
    flags: Sequence[RiskFlag]

    @property
    def is_polled(self) -> bool:
        """Whether something may still change while the caller looks."""
        return any(each.concern.status is not ConcernStatus.CLOSED for each in self.watched)

    @property
    def low_answer(self) -> Answered | None:
        """What was said of the newest low blood sugar of a call that is not closed."""
        open_ones = (
            each for each in self.watched if each.concern.status is not ConcernStatus.CLOSED
        )
        return next((each.low_answer for each in open_ones if each.low_answer), None)

    @property
    def state(self) -> str:
        """A word that changes when what is shown changes."""
        return ",".join(
            f"{each.concern.id}{each.concern.status.value}{len(each.told)}" for each in self.watched
        )


def safety_of(session: Session, patient: Patient, *, now: datetime) -> Safety:
    """Return what a caller of ``patient`` needs to see of the net."""
    number = registry.working_number(session, patient.id)
    return Safety(
        card=cards.of(session, patient.clinic_id, patient.language),
        low_sugar=low_sugar.of(session, patient.clinic_id, patient.language),
        watch=readiness.watch(session, patient.clinic_id, now=now),
        ring_back=number.e164 if number else "",
        watched=_watched(session, patient.id, now=now),
        flags=flags.of_patient(session, patient.id),
    )


@dataclass(frozen=True)
class Waiting:
    """Concerns that nobody has taken on, as every page of a nurse tells."""

    count: int
    oldest_at: datetime | None
    is_urgent: bool


def waiting(session: Session, scope: Scope) -> Waiting:
    """Count the concerns in scope that nobody has taken on yet."""
    rows = session.execute(
        select(Concern.urgency, Concern.reopened_at, Concern.raised_at).where(
            visible(scope, Concern.clinic_id, Concern.patient_id),
            Concern.status == ConcernStatus.OPEN,
        )
    ).all()
    since = [reopened_at or raised_at for _urgency, reopened_at, raised_at in rows]
    return Waiting(len(rows), min(since, default=None), any(row[0] is Urgency.NOW for row in rows))


def _watched(session: Session, patient_id: int, *, now: datetime) -> list[Watched]:
    if absent.is_known(session, Concern.patient_id, patient_id):
        return []
    concerns = session.scalars(*_shown(patient_id, now - CLOSED_SHOWN_FOR)).all()
    told = alerting.reached(session, [each.id for each in concerns])
    lows = [each.id for each in concerns if each.kind is ConcernKind.GLUCOSE_LOW]
    said = low_sugar.answers_of(session, lows) if lows else {}
    return [Watched(each, told.get(each.id, []), said.get(each.id)) for each in concerns]


@built_once
def _shown(patient_id: Any, closed_since: Any) -> Select[Concern]:
    return (
        select(Concern)
        .options(joinedload(Concern.acknowledged_by))
        .where(
            Concern.patient_id == patient_id,
            or_(
                Concern.status != ConcernStatus.CLOSED,
                and_(Concern.raised_at > closed_since, Concern.closed_at > closed_since),
            ),
        )
        .order_by(Concern.raised_at.desc(), Concern.id.desc())
        .limit(MOST_SHOWN)
    )


def most_urgent_at(session: Session, patient_id: int, *, now: datetime) -> Urgency | None:
    """Return how urgent what was raised, or given its reading, at this very instant is."""
    if absent.is_known(session, Concern.patient_id, patient_id):
        return None
    found = session.scalars(*_urgencies_at(patient_id, now)).all()
    return next((urgency for urgency in Urgency if urgency in found), None)


@built_once
def _urgencies_at(patient_id: Any, now: Any) -> Select[Urgency]:
    kept_now = select(Reading.id).where(
        Reading.patient_id == patient_id, Reading.recorded_at == now
    )
    return select(Concern.urgency).where(
        Concern.patient_id == patient_id,
        or_(Concern.raised_at == now, Concern.reading_id.in_(kept_now)),
    )
