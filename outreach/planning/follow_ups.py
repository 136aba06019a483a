"""What somebody has to see to because calls don't get through."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Update, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from outreach import absent
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.built_once import built_once
from outreach.errors import NotFound, Stale
from outreach.orm import insert_new
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus

# In these nobody is called any more, so there is nothing to see to either.
LEFT = (EnrolmentStatus.WITHDRAWN, EnrolmentStatus.DIED, EnrolmentStatus.COMPLETED)
# After these, whoever comes back begins anew.
GONE = (EnrolmentStatus.UNREACHABLE, *LEFT)


class NoSuchFollowUp(NotFound):
    """Nothing in the actor's scope has that number."""


class AlreadyDone(Stale):
    """Somebody saw to it first, or a conversation did."""


def open_of(session: Session, enrolment_ids: Sequence[int]) -> Mapping[int, Sequence[FollowUp]]:
    """Return what is open for each of ``enrolment_ids``, the oldest first, in one statement."""
    found: dict[int, list[FollowUp]] = defaultdict(list)
    asked = [
        each for each in enrolment_ids if not absent.is_known(session, FollowUp.enrolment_id, each)
    ]
    for follow_up in session.scalars(*_open_of(asked)) if asked else ():
        found[follow_up.enrolment_id].append(follow_up)
    return found


@built_once
def _open_of(enrolment_ids: Any) -> Select[FollowUp]:
    return (
        select(FollowUp)
        .where(among(FollowUp.enrolment_id, enrolment_ids), FollowUp.done_at.is_(None))
        .order_by(FollowUp.opened_at, FollowUp.id)
    )


def by_id(session: Session, scope: Scope, follow_up_id: int) -> FollowUp:
    """Return one follow-up, or raise NoSuchFollowUp where it is outside ``scope``."""
    found = session.scalar(
        select(FollowUp).where(
            FollowUp.id == follow_up_id, visible(scope, FollowUp.clinic_id, FollowUp.patient_id)
        )
    )
    if found is None:
        raise NoSuchFollowUp("There is no such follow-up.")
    return found


def open_one(
    session: Session, enrolment: Enrolment, kind: FollowUpKind, reason: str, *, now: datetime
) -> int:
    """Ask for something to be seen to, unless it is asked for already. Does not commit.

    Returns how many are new.
    """
    row = {
        "clinic_id": enrolment.clinic_id,
        "patient_id": enrolment.patient_id,
        "enrolment_id": enrolment.id,
        "kind": kind,
        "reason": reason,
        "opened_at": now,
        "note": "",
    }
    return insert_new(session, FollowUp, [row])


def note_letter(session: Session, follow_up: FollowUp, *, now: datetime) -> None:
    """Note that a letter went out; the first time counts. Does not commit.

    Raises:
        AlreadyDone: the follow-up is closed.
    """
    _change_open(session, follow_up, letter_at=follow_up.letter_at or now)


def complete(
    session: Session, follow_up: FollowUp, note: str, *, by_staff_id: int, now: datetime
) -> None:
    """Close a follow-up with what was done about it. Does not commit.

    Raises:
        AlreadyDone: it is closed; nothing is changed.
    """
    _change_open(session, follow_up, done_at=now, note=note, by_staff_id=by_staff_id)


def end_by_conversation(
    session: Session, enrolment_id: int, *, by_staff_id: int, now: datetime
) -> None:
    """Close what is open for somebody who was just spoken with. Does not commit.

    Whoever calls this holds the enrolment (:func:`hold`).
    """
    if not absent.is_known(session, FollowUp.enrolment_id, enrolment_id):
        session.execute(*_answered(enrolment_id, by_staff_id, now))


def hold(session: Session, enrolment_id: int) -> None:
    """Keep others from asking for something in the moment in which it is answered.

    As ``silence.settle`` does before it asks. Until the transaction ends.
    """
    session.execute(*_held(enrolment_id))


@built_once
def _held(enrolment_id: Any) -> Select[int]:
    return select(Enrolment.id).where(Enrolment.id == enrolment_id).with_for_update()


@built_once
def _answered(enrolment: Any, by: Any, now: Any) -> Update:
    return (
        update(FollowUp)
        .where(FollowUp.enrolment_id == enrolment, FollowUp.done_at.is_(None))
        .values(done_at=now, by_staff_id=by)
        .execution_options(synchronize_session="fetch")
    )


def open_again(
    session: Session, enrolment_id: int, *, ended_at: datetime, by_staff_id: int
) -> None:
    """Open what a conversation closed that was taken back, unless it is asked for again.

    Does not commit.
    """
    newer = aliased(FollowUp)
    is_asked_again = exists().where(
        newer.enrolment_id == FollowUp.enrolment_id,
        newer.kind == FollowUp.kind,
        newer.done_at.is_(None),
    )
    session.execute(
        update(FollowUp)
        .where(
            FollowUp.enrolment_id == enrolment_id,
            FollowUp.done_at == ended_at,
            FollowUp.by_staff_id == by_staff_id,
            ~is_asked_again,
        )
        .values(done_at=None, by_staff_id=None)
        .execution_options(synchronize_session=False)
    )


def begin_anew(session: Session, enrolment_id: int, *, now: datetime) -> None:
    """Close what was to see to before somebody was given up, or left: they came back since.

    Does not commit.
    """
    gone_at = (
        select(func.max(EnrolmentEvent.at))
        .where(EnrolmentEvent.enrolment_id == enrolment_id, EnrolmentEvent.status.in_(GONE))
        .scalar_subquery()
    )
    session.execute(
        update(FollowUp)
        .where(
            FollowUp.enrolment_id == enrolment_id,
            FollowUp.done_at.is_(None),
            FollowUp.opened_at <= gone_at,
        )
        .values(done_at=now)
        .execution_options(synchronize_session=False)
    )


def close_for_nobody(session: Session, *, now: datetime) -> int:
    """Close what nobody has to see to any more; return how much. Does not commit.

    That is: everything about those who left the programme, and the review of times of those
    who are unreachable, since nobody will ask them.
    """
    left = select(Enrolment.id).where(Enrolment.status.in_(LEFT))
    lost = select(Enrolment.id).where(Enrolment.status == EnrolmentStatus.UNREACHABLE)
    closed = session.execute(
        update(FollowUp)
        .where(
            FollowUp.done_at.is_(None),
            or_(
                FollowUp.enrolment_id.in_(left),
                and_(FollowUp.kind == FollowUpKind.REVIEW_TIMES, FollowUp.enrolment_id.in_(lost)),
            ),
        )
        .values(done_at=now)
        .returning(FollowUp.id)
        .execution_options(synchronize_session=False)
    )
    return len(closed.all())


def _change_open(session: Session, follow_up: FollowUp, **values: object) -> None:
    changed = session.execute(
        update(FollowUp)
        .where(FollowUp.id == follow_up.id, FollowUp.done_at.is_(None))
        .values(**values)
        .returning(FollowUp.id)
    )
    if changed.first() is None:
        raise AlreadyDone("Somebody saw to this first, or spoke with the patient meanwhile.")
