"""Links by which a person sets their own password: invitations, and resets by a manager.

Nobody sets another's password, and no link ends a second factor.
"""

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from outreach.accounts import passwords
from outreach.accounts.models import AccessLink, StaffMember
from outreach.accounts.rules import LINK_LIVES, LinkKind
from outreach.accounts.sign_in import token_hash
from outreach.errors import NotFound


class LinkOver(NotFound):
    """The link was used, withdrawn or is too old, or there never was one."""


def make(session: Session, person: StaffMember, *, by_staff_id: int | None, now: datetime) -> str:
    """Return the token of a new link for ``person``; earlier ones end. Does not commit.

    ``by_staff_id`` None: made at the command line.
    """
    withdraw(session, person.id, now=now)
    is_new = person.password_hash == passwords.NOT_SET
    token = secrets.token_urlsafe(32)
    session.add(
        AccessLink(
            token_hash=token_hash(token),
            staff_id=person.id,
            kind=LinkKind.INVITATION if is_new else LinkKind.RESET,
            made_by_id=by_staff_id,
            made_at=now,
            expires_at=now + LINK_LIVES,
        )
    )
    return token


def withdraw(session: Session, staff_id: int, *, now: datetime) -> None:
    """End every open link of somebody. Does not commit."""
    session.execute(
        update(AccessLink)
        .where(
            AccessLink.staff_id == staff_id,
            AccessLink.used_at.is_(None),
            AccessLink.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
    )


def owner(session: Session, token: str, *, now: datetime) -> StaffMember:
    """Return whose link it is, or raise LinkOver."""
    person = session.scalar(
        select(StaffMember)
        .join(AccessLink, AccessLink.staff_id == StaffMember.id)
        .where(
            AccessLink.token_hash == token_hash(token),
            *_is_open(now),
            StaffMember.is_active.is_(True),
        )
    )
    if person is None:
        raise LinkOver("This link has been used or is too old. Ask for a new one.")
    return person


def use(session: Session, token: str, password_hash: str, *, now: datetime) -> StaffMember:
    """Set the password of the link's owner and end all their sessions. Does not commit.

    Raises:
        LinkOver: somebody used it meanwhile, or as :func:`owner`.
    """
    person = owner(session, token, now=now)
    used = session.execute(
        update(AccessLink)
        .where(AccessLink.token_hash == token_hash(token), *_is_open(now))
        .values(used_at=now)
        .returning(AccessLink.id)
    )
    if used.first() is None:
        raise LinkOver("This link has been used or is too old. Ask for a new one.")
    passwords.change(session, person, password_hash, keep=None, now=now)
    return person


def open_until(session: Session, staff_id: int, *, now: datetime) -> datetime | None:
    """Return until when somebody's link holds, None where they have none."""
    return session.scalar(
        select(AccessLink.expires_at).where(AccessLink.staff_id == staff_id, *_is_open(now))
    )


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        AccessLink.used_at.is_(None),
        AccessLink.withdrawn_at.is_(None),
        AccessLink.expires_at > now,
    )
