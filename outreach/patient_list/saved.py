"""Lists under a name: one's own, and those that colleagues share with a clinic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Actor
from outreach.errors import NotFound, RuleBroken
from outreach.patient_list.models import SavedList
from outreach.patient_list.rules import Wanted

MOST_LISTS = 50


class NoSuchList(NotFound):
    """No list of this person's has that id."""


class TooManyLists(RuleBroken):
    """Somebody has MOST_LISTS already."""


@dataclass(frozen=True)
class Named:
    """A saved list with whose it is; ``is_own``: the reader's."""

    saved: SavedList
    owner_name: str
    is_own: bool


def all_for(session: Session, actor: Actor) -> list[Named]:
    """Return the lists that ``actor`` may use, their own first, then by name."""
    is_shared = SavedList.clinic_id.in_(sorted(_clinics_of(actor)))
    if actor.scope.everything:
        is_shared = SavedList.clinic_id.is_not(None)
    rows = session.execute(
        select(SavedList, StaffMember.name)
        .join(StaffMember, StaffMember.id == SavedList.staff_id)
        .where(or_(SavedList.staff_id == actor.staff_id, is_shared))
        .order_by(SavedList.staff_id != actor.staff_id, SavedList.name, SavedList.id)
    ).all()
    return [Named(saved, name, saved.staff_id == actor.staff_id) for saved, name in rows]


def save(
    session: Session,
    actor: Actor,
    name: str,
    wanted: Wanted,
    *,
    clinic_id: int | None,
    now: datetime,
) -> SavedList:
    """Keep a list under ``name``, in the place of one's own of that name. Does not commit.

    Raises:
        NoSuchList: ``clinic_id`` is no clinic of theirs to share with.
        TooManyLists: there are MOST_LISTS already.
    """
    if clinic_id is not None and clinic_id not in _clinics_of(actor):
        raise NoSuchList("There is no such clinic.")
    own: Sequence[SavedList] = session.scalars(
        select(SavedList).where(SavedList.staff_id == actor.staff_id)
    ).all()
    saved = next((each for each in own if each.name == name), None)
    if saved is None:
        if len(own) >= MOST_LISTS:
            raise TooManyLists("Delete a list first: there are as many as can be kept.")
        saved = SavedList(staff_id=actor.staff_id, name=name)
        session.add(saved)
    saved.params, saved.clinic_id, saved.saved_at = dict(wanted.as_params()), clinic_id, now
    session.flush()
    return saved


def drop(session: Session, actor: Actor, list_id: int) -> SavedList:
    """Delete one of one's own lists, and return it. Does not commit.

    Raises:
        NoSuchList: none of theirs.
    """
    saved = session.scalar(
        select(SavedList).where(SavedList.id == list_id, SavedList.staff_id == actor.staff_id)
    )
    if saved is None:
        raise NoSuchList("There is no such list.")
    session.delete(saved)
    session.flush()
    return saved


def _clinics_of(actor: Actor) -> frozenset[int]:
    return frozenset(held.clinic_id for held in actor.held if held.clinic_id is not None)
