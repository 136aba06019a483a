"""Texts that wait, and that what was recorded since has made untrue: they don't go out.

"We tried to reach you" is true while a try stands that reached nobody, and no talk since.
"We will call you back" is true while the talk stands in which the time was agreed. Thanks for
a choice are true until another is made.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, aliased

from outreach.built_once import built_once
from outreach.calls import courtesies, tried
from outreach.calls.models import Attempt, AttemptCorrection
from outreach.calls.rules import REACHED, Outcome
from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, SkipReason
from outreach.orm import rows_of
from outreach.programmes.models import CadenceChoice

_ABOUT_CALLS = (MessageKind.MISSED_YOU, MessageKind.CALLBACK_CONFIRMED, MessageKind.THANK_YOU)


def drop(session: Session, patient_id: int, *, now: datetime) -> None:
    """Drop a patient's waiting texts that hold no longer, each with why. Does not commit."""
    for kind, cause in rows_of(session, *_waiting(patient_id)):
        reason = _against(session, kind, cause)
        if reason is not None:
            outbox.cancel(session, cause, kind=kind, now=now, reason=reason)


@built_once
def _waiting(patient_id: Any) -> Select[MessageKind, str]:
    return (
        select(Message.kind, Message.cause)
        .where(
            Message.patient_id == patient_id,
            Message.kind.in_(_ABOUT_CALLS),
            Message.status.in_(outbox.NOT_YET_OUT),
        )
        .distinct()
    )


def _against(session: Session, kind: MessageKind, cause: str) -> SkipReason | None:
    """Return why a text is untrue, None where it is true."""
    about, _, row_id = cause.partition(":")
    if kind is MessageKind.THANK_YOU:
        return _against_thanks(session, int(row_id))
    if kind is MessageKind.CALLBACK_CONFIRMED:
        agreed = Attempt.planned_call_id == int(row_id)
        return _against_try(session, agreed, [Outcome.CALL_BACK])
    if about == tried.CAUSE:
        attempt_id = _as_corrected(session, int(row_id))
        return _against_missed(session, Attempt.id == attempt_id, tried.NOBODY_THERE)
    tries = Attempt.planned_call_id == int(row_id)
    return _against_missed(session, tries, courtesies.MISSED)


def _against_missed(
    session: Session, which: ColumnElement[bool], outcomes: Collection[Outcome]
) -> SkipReason | None:
    """Return why nobody need hear of a try: it was none after all, or they were reached since."""
    talk = aliased(Attempt)
    reached = exists().where(
        talk.patient_id == Attempt.patient_id,
        talk.at >= Attempt.at,
        talk.superseded_at.is_(None),
        talk.outcome.in_(REACHED),
    )
    return _against_try(session, which, outcomes) or _against_try(
        session, which & ~reached, outcomes, otherwise=SkipReason.REACHED
    )


def _against_try(
    session: Session,
    which: ColumnElement[bool],
    outcomes: Collection[Outcome],
    otherwise: SkipReason = SkipReason.TAKEN_BACK,
) -> SkipReason | None:
    """Return ``otherwise`` where none of ``which`` stands with one of ``outcomes``."""
    stands = exists().where(
        which, Attempt.superseded_at.is_(None), Attempt.outcome.in_(list(outcomes))
    )
    return None if session.scalar(select(stands)) else otherwise


def _as_corrected(session: Session, attempt_id: int) -> int:
    """Return the attempt that stands in the place of one, however often it was corrected."""
    while True:
        instead = session.scalar(
            select(AttemptCorrection.replaced_by_id).where(
                AttemptCorrection.attempt_id == attempt_id
            )
        )
        if instead is None:
            return attempt_id
        attempt_id = instead


def _against_thanks(session: Session, choice_id: int) -> SkipReason | None:
    newer = aliased(CadenceChoice)
    has_newer = exists().where(
        CadenceChoice.id == choice_id,
        newer.enrolment_id == CadenceChoice.enrolment_id,
        newer.id > CadenceChoice.id,
    )
    return SkipReason.TAKEN_BACK if session.scalar(select(has_newer)) else None
