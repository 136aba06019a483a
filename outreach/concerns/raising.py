"""Raising concerns, and working them until they are closed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, exists, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.concerns import alerting
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import (
    CALLERS_KINDS,
    ConcernKind,
    ConcernStatus,
    StepKind,
    Trigger,
    Urgency,
)
from outreach.errors import NotFound, RuleBroken, Stale
from outreach.orm import insert_new
from outreach.patients.models import Patient
from outreach.sent_again import said_before

# What is saved with the call adds to what was raised during it.
SAME_CALL = timedelta(hours=2)
TEXTED = "text:"  # how the form key of what a patient texted begins

_URGENCY_ORDER = case(
    {urgency: rank for rank, urgency in enumerate(Urgency)}, value=Concern.urgency
)
_MOST_PRESSING_FIRST = (
    Concern.status == ConcernStatus.ACKNOWLEDGED,
    _URGENCY_ORDER,
    Concern.raised_at,
    Concern.id,
)


class NoSuchConcern(NotFound):
    """No concern in the actor's scope has that number."""


class AlreadyClosed(Stale):
    """Somebody closed this concern first."""


class NoteMissing(RuleBroken):
    """A concern is closed with words on what was done."""


@dataclass(frozen=True)
class Raised:
    """What is needed to raise a concern. ``form_key`` makes a page sent twice one concern.

    ``asking_key`` names the asking of a questionnaire that it came from.
    """

    trigger: Trigger
    note: str
    reading_id: int | None = None
    form_key: str | None = None
    asking_key: str | None = None


def raise_concern(
    session: Session,
    patient: Patient,
    raised: Raised,
    *,
    by_staff_id: int | None,
    now: datetime,
) -> Concern:
    """Open a concern with its first step, and tell who is on call. Does not commit.

    A second time with the same ``form_key`` returns the concern of the first.
    """
    concern, is_new = _open(session, patient, raised, now=now)
    if is_new:
        _step(session, concern, StepKind.RAISED, raised.note, by_staff_id=by_staff_id, now=now)
        alerting.alert(session, concern, now=now)
    return concern


def raise_with_call(
    session: Session,
    patient: Patient,
    words: str,
    *,
    by_staff_id: int,
    since: datetime | None,
    now: datetime,
) -> Concern:
    """Raise a caller's worry with the call that is saved, or add to the one they raised in it.

    Does not commit.

    Args:
        since: when they recorded their last call with this patient, None where there is none:
            what was raised by then is of that call, and a nurse may have seen to it.
    """
    known = raised_in_call(
        session, patient.id, CALLERS_KINDS, by_staff_id=by_staff_id, since=since, now=now
    )
    if known is None:
        return raise_concern(session, patient, safety(words), by_staff_id=by_staff_id, now=now)
    add_unsaid(session, known, words, by_staff_id=by_staff_id, now=now)
    return known


def add_unsaid(
    session: Session, concern: Concern, words: str, *, by_staff_id: int | None, now: datetime
) -> None:
    """Add words that no step of a concern says yet; an open one, held. Does not commit."""
    said = session.scalars(select(ConcernStep.note).where(ConcernStep.concern_id == concern.id))
    if words.strip() and words.strip() not in set(said):
        _step(session, concern, StepKind.ADDED, words, by_staff_id=by_staff_id, now=now)


def add_words(
    session: Session, concern: Concern, text: str, *, by_staff_id: int | None, now: datetime
) -> None:
    """Add what a caller learned after raising a concern, or what a patient wrote since.

    What one of the staff sends twice is added once. Does not commit.

    Raises:
        AlreadyClosed: a nurse closed it meanwhile.
        NoteMissing: no words were given.
    """
    _refuse_closed(session, concern)
    if not text.strip():
        raise NoteMissing("Write what you learned.")
    _step(session, concern, StepKind.ADDED, text, by_staff_id=by_staff_id, now=now, once=True)


def add_reading(
    session: Session,
    concern: Concern,
    reading_id: int,
    words: str,
    *,
    by_staff_id: int | None,
    now: datetime,
) -> None:
    """Let a concern that was raised before its reading was kept name it. Does not commit."""
    concern.reading_id = reading_id
    _step(session, concern, StepKind.ADDED, words, by_staff_id=by_staff_id, now=now)


def safety(note: str) -> Raised:
    """Return the concern that a caller's own worry raises."""
    return Raised(Trigger(ConcernKind.SAFETY, Urgency.NOW), note)


def raise_by_text(
    session: Session, patient: Patient, kind: ConcernKind, words: str, *, key: str, now: datetime
) -> Concern:
    """Raise what a patient texted, or add it to what they texted just before. No commit.

    While a concern of theirs still goes round unanswered, another text adds words to it: the
    nurse is told of one person, not of six texts.
    """
    going_round = session.scalar(
        select(Concern)
        .where(
            Concern.patient_id == patient.id,
            Concern.kind == kind,
            Concern.status == ConcernStatus.OPEN,
            Concern.raised_at > now - SAME_CALL,
            Concern.form_key.startswith(TEXTED),
        )
        .order_by(Concern.id.desc())
        .limit(1)
        .with_for_update(of=Concern)
    )
    if going_round is None:
        raised = Raised(Trigger(kind, Urgency.NOW), words, form_key=f"{TEXTED}{key}")
        return raise_concern(session, patient, raised, by_staff_id=None, now=now)
    add_words(session, going_round, words, by_staff_id=None, now=now)
    return going_round


def is_raised(session: Session, patient_id: int, form_key: str) -> bool:
    """Say whether a concern was raised under this key for this patient."""
    found = select(Concern.id).where(Concern.form_key == form_key, Concern.patient_id == patient_id)
    return session.scalar(found) is not None


def unclosed(session: Session, scope: Scope) -> Sequence[Concern]:
    """Return concerns in scope that are not closed: unanswered first, then the most urgent."""
    return session.scalars(
        select(Concern)
        .options(
            joinedload(Concern.patient).joinedload(Patient.clinic),
            joinedload(Concern.acknowledged_by),
        )
        .where(
            visible(scope, Concern.clinic_id, Concern.patient_id),
            Concern.status != ConcernStatus.CLOSED,
        )
        .order_by(*_MOST_PRESSING_FIRST)
    ).all()


def recently_closed(session: Session, scope: Scope, *, since: datetime) -> Sequence[Concern]:
    """Return concerns in scope that were closed since then, newest first."""
    return session.scalars(
        select(Concern)
        .options(joinedload(Concern.patient).joinedload(Patient.clinic))
        .where(
            visible(scope, Concern.clinic_id, Concern.patient_id),
            Concern.status == ConcernStatus.CLOSED,
            Concern.closed_at >= since,
        )
        .order_by(Concern.closed_at.desc(), Concern.id.desc())
    ).all()


def by_id(session: Session, scope: Scope, concern_id: int) -> Concern:
    """Return one concern with patient and clinic, or raise NoSuchConcern."""
    concern = session.scalar(
        select(Concern)
        .options(
            joinedload(Concern.patient).joinedload(Patient.clinic),
            joinedload(Concern.acknowledged_by),
            joinedload(Concern.closed_by),
        )
        .where(Concern.id == concern_id, visible(scope, Concern.clinic_id, Concern.patient_id))
    )
    if concern is None:
        raise NoSuchConcern("There is no such concern.")
    return concern


def acknowledge(session: Session, concern: Concern, *, by_staff_id: int, now: datetime) -> None:
    """Note that somebody has taken a concern on; a second one changes nothing.

    Does not commit. Raises AlreadyClosed.
    """
    _refuse_closed(session, concern)
    if concern.status is ConcernStatus.ACKNOWLEDGED:
        return
    concern.status, concern.acknowledged_at = ConcernStatus.ACKNOWLEDGED, now
    concern.acknowledged_by_id = by_staff_id
    alerting.stop(session, concern, now=now)
    _step(session, concern, StepKind.ACKNOWLEDGED, "", by_staff_id=by_staff_id, now=now)


def note(session: Session, concern: Concern, text: str, *, by_staff_id: int, now: datetime) -> None:
    """Add words to a concern, once if sent twice. Does not commit. Raises AlreadyClosed."""
    _refuse_closed(session, concern)
    _step(session, concern, StepKind.NOTED, text, by_staff_id=by_staff_id, now=now, once=True)


def close(
    session: Session, concern: Concern, text: str, *, by_staff_id: int, now: datetime
) -> None:
    """Close a concern with what was done. Does not commit.

    Raises:
        AlreadyClosed: somebody did first.
        NoteMissing: no words were given.
    """
    _refuse_closed(session, concern)
    if not text.strip():
        raise NoteMissing("Say what was done before closing.")
    concern.status, concern.closed_at = ConcernStatus.CLOSED, now
    concern.closed_by_id = by_staff_id
    if concern.acknowledged_at is None:
        concern.acknowledged_at, concern.acknowledged_by_id = now, by_staff_id
    alerting.stop(session, concern, now=now)
    _step(session, concern, StepKind.CLOSED, text, by_staff_id=by_staff_id, now=now)


def _open(
    session: Session, patient: Patient, raised: Raised, *, now: datetime
) -> tuple[Concern, bool]:
    """Return the concern as stored, and whether it is new; its form key decides."""
    values = {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "reading_id": raised.reading_id,
        "kind": raised.trigger.kind,
        "urgency": raised.trigger.urgency,
        "status": ConcernStatus.OPEN,
        "raised_at": now,
        "form_key": raised.form_key,
        "asking_key": raised.asking_key,
    }
    if raised.form_key is None:
        concern = Concern(**values)
        session.add(concern)
        session.flush()
        return concern, True
    is_new = bool(insert_new(session, Concern, [values]))
    concern = session.scalars(select(Concern).where(Concern.form_key == raised.form_key)).one()
    if concern.patient_id != patient.id:
        raise NoSuchConcern("There is no such concern.")
    return concern, is_new


def raised_in_call(
    session: Session,
    patient_id: int,
    kinds: Collection[ConcernKind],
    *,
    by_staff_id: int,
    since: datetime | None,
    now: datetime,
) -> Concern | None:
    """Return what a caller raised in a call before saving it, held until the commit.

    Nothing that is closed, and nothing that a stored reading raised. ``since`` as in
    `raise_with_call`.
    """
    return session.scalar(
        select(Concern)
        .join(ConcernStep, ConcernStep.concern_id == Concern.id)
        .where(
            Concern.patient_id == patient_id,
            Concern.kind.in_(kinds),
            Concern.reading_id.is_(None),
            Concern.status != ConcernStatus.CLOSED,
            Concern.raised_at > max(now - SAME_CALL, since or now - SAME_CALL),
            ConcernStep.kind == StepKind.RAISED,
            ConcernStep.by_staff_id == by_staff_id,
        )
        .order_by(Concern.id.desc())
        .limit(1)
        .with_for_update(of=Concern)
    )


def note_correction(
    session: Session,
    patient_id: int,
    text: str,
    *,
    raised_at: datetime,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Tell those who work a concern that the call it came with, or words of it, was corrected.

    The concern stays: a nurse decides what becomes of it. Does not commit.
    """
    came_with_it = exists().where(
        ConcernStep.concern_id == Concern.id,
        ConcernStep.kind.in_((StepKind.RAISED, StepKind.ADDED)),
        ConcernStep.at == raised_at,
    )
    told = select(Concern).where(Concern.patient_id == patient_id, came_with_it)
    for concern in session.scalars(told.order_by(Concern.id)):
        _step(session, concern, StepKind.CALL_CORRECTED, text, by_staff_id=by_staff_id, now=now)


def _refuse_closed(session: Session, concern: Concern) -> None:
    """Raise AlreadyClosed by what is stored now; two nurses at once wait for each other."""
    session.refresh(concern, with_for_update=True, attribute_names=["status", "acknowledged_at"])
    if concern.status is ConcernStatus.CLOSED:
        raise AlreadyClosed("Somebody closed this concern already.")


def _step(
    session: Session,
    concern: Concern,
    kind: StepKind,
    text: str,
    *,
    by_staff_id: int | None,
    now: datetime,
    once: bool = False,
) -> None:
    """Add a step; with ``once`` not where the same person has just sent the same words."""
    step = ConcernStep(
        concern_id=concern.id, kind=kind, note=text.strip(), by_staff_id=by_staff_id, at=now
    )
    if once and by_staff_id is not None and said_before(session, step) is not None:
        return
    session.add(step)
    session.flush()
