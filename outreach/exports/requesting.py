"""Asking for a file, finding one's own, and taking one away."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.models import EmergencyAccess
from outreach.accounts.rules import Actor
from outreach.accounts.scoping import visible
from outreach.audit import trail
from outreach.errors import NotFound, RuleBroken
from outreach.exports.models import Export
from outreach.exports.rules import (
    FORMATS,
    MOST_UNDER_WAY,
    TAKERS,
    Content,
    Format,
    Progress,
    may_take,
)
from outreach.oversight import events
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.reports.breakdown import Dimension

SHOWN = 50
_UNDER_WAY = (Progress.WAITING, Progress.WRITING)


EVERY = "every"
WITHIN = "within"
_OVER_CLINICS = {each.value for each in Dimension if each.is_over_clinics}


class NoSuchExport(NotFound):
    """No file of this person's, or none that they may have."""


class TooManyUnderWay(RuleBroken):
    """Somebody waits for MOST_UNDER_WAY files already."""


@dataclass(frozen=True)
class Wish:
    """What a file is asked of. ``asked`` are the parameters of the list or report."""

    content: Content
    format: Format
    asked: Mapping[str, Any]
    clinic_id: int | None = None
    patient_id: int | None = None


def ask(session: Session, actor: Actor, wish: Wish, *, form_key: str, now: datetime) -> None:
    """Note that ``actor`` wants a file; a form that comes twice asks once. Does not commit.

    Raises:
        NoSuchExport: not theirs to take, or there is no such file of it.
        TooManyUnderWay: enough of theirs are under way.
    """
    if not may_take(actor.roles, wish.content) or wish.format not in FORMATS[wish.content]:
        raise NoSuchExport("There is no such file.")
    waiting = select(func.count(Export.id)).where(
        Export.staff_id == actor.staff_id, Export.progress.in_(_UNDER_WAY)
    )
    if (session.scalar(waiting) or 0) >= MOST_UNDER_WAY:
        raise TooManyUnderWay("Wait for the files that you have asked for already.")
    row = {
        "ref": secrets.token_urlsafe(9),
        "staff_id": actor.staff_id,
        "clinic_id": wish.clinic_id,
        "content": wish.content,
        "format": wish.format,
        "asked": dict(wish.asked),
        "form_key": form_key[:40],
        "progress": Progress.WAITING,
        "rows_done": 0,
        "tries": 0,
        "asked_at": now,
        "trouble": "",
    }
    if orm.insert_new(session, Export, [row]):
        _note(
            session,
            f"asked for a file of {wish.content.value}",
            actor,
            wish.clinic_id,
            now=now,
            patient_id=wish.patient_id,
        )


def own(session: Session, actor: Actor) -> Sequence[Export]:
    """Return what ``actor`` asked for, the newest first."""
    return session.scalars(
        select(Export)
        .where(Export.staff_id == actor.staff_id)
        .order_by(Export.asked_at.desc(), Export.id.desc())
        .limit(SHOWN)
    ).all()


def take(session: Session, actor: Actor, ref: str, *, now: datetime) -> Export:
    """Return a file that ``actor`` asked for and may have now, and note that they took it.

    Does not commit.

    Raises:
        NoSuchExport: not theirs, not whole, expired, or no longer theirs to take.
    """
    found = session.scalar(
        select(Export).where(Export.ref == ref, Export.staff_id == actor.staff_id)
    )
    is_there = (
        found is not None
        and found.progress is Progress.READY
        and found.expires_at is not None
        and found.expires_at > now
    )
    if found is None or not is_there or not may_take(actor.roles, found.content):
        raise NoSuchExport("There is no such file.")
    if not _is_theirs_still(session, found, actor, now=now) or not _is_open_still(
        session, found, actor, now=now
    ):
        raise NoSuchExport("There is no such file.")
    about = f"downloaded a file of {found.content.value}"
    _note(session, about, actor, found.clinic_id, now=now, export_id=found.id)
    return found


def open_until(session: Session, export: Export, *, written_at: datetime) -> datetime | None:
    """Return until when all are open of whom an administrator's file may tell by a reason given.

    None where nobody was open to who asked, from when they did until it was written.
    """
    if export.content is Content.RESEARCH:  # it names nobody, whoever is open
        return None
    each = session.scalars(
        select(func.max(EmergencyAccess.until_at))
        .where(
            EmergencyAccess.staff_id == export.staff_id,
            EmergencyAccess.until_at > export.asked_at,
            EmergencyAccess.from_at <= written_at,
        )
        .group_by(EmergencyAccess.patient_id)
    )
    return min(each, default=None)


def clinics_of(actor: Actor, content: Content) -> Sequence[int] | str:
    """Return the clinics of which a file over all of ``actor``'s may tell, or EVERY."""
    there = actor.acting_as(TAKERS[content])
    if content is Content.AUDIT:
        readable = events.readable_clinics(there)
        return EVERY if readable is None else sorted(readable)
    scope = there.scope
    return EVERY if scope.everything else sorted(scope.clinic_ids | scope.panel_clinic_ids)


def _is_theirs_still(session: Session, found: Export, actor: Actor, *, now: datetime) -> bool:
    """Say whether ``actor`` still looks after every clinic of which people are in the file."""
    if found.clinic_id is not None and not finding.may_manage(actor, found.clinic_id):
        return False
    if found.clinic_id is not None and found.asked.get("by") not in _OVER_CLINICS:
        return True
    held = staff.actor(session, actor.staff_id, now=now)  # in all their roles, as it was written
    if held is None:
        return False
    within, theirs = found.asked.get(WITHIN, EVERY), clinics_of(held, found.content)
    return theirs == EVERY or (within != EVERY and set(within) <= set(theirs))


def _is_open_still(session: Session, found: Export, actor: Actor, *, now: datetime) -> bool:
    """Say whether those are open to ``actor`` now of whom the file tells by a reason given.

    A file ends with the hour. Asked again all the same: those written before did not, and a
    reason may not have been needed as this one was asked for.
    """
    if actor.opened_patients is None:
        return True
    if found.content is Content.OWN_DATA:
        theirs = visible(actor.scope, Patient.clinic_id, Patient.id)
        is_seen = exists().where(Patient.ref == found.asked["patient"], theirs)
        return bool(session.scalar(select(is_seen)))
    until = open_until(session, found, written_at=found.finished_at or now)
    return until is None or until > now


def _note(
    session: Session,
    action: str,
    actor: Actor,
    clinic_id: int | None,
    *,
    now: datetime,
    export_id: int | None = None,
    patient_id: int | None = None,
) -> None:
    trail.record(
        session,
        action,
        actor_id=actor.staff_id,
        now=now,
        clinic_id=clinic_id,
        patient_id=patient_id,
        about=("export", export_id),
    )
