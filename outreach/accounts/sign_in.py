"""Signing in and out: sessions live in the database, so ending one ends it everywhere."""

import hashlib
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Membership, SignIn, SignInFailure, StaffMember
from outreach.accounts.rules import THROTTLE_WINDOW, Actor, Held, is_throttled

SEEN_EVERY = timedelta(minutes=1)

# Compared when no such account exists, so that the answer takes as long.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


def find(session: Session, email: str) -> StaffMember | None:
    """Return the active account with this address, in any letter case."""
    return session.scalar(
        select(StaffMember).where(
            StaffMember.email == email.strip().lower(), StaffMember.is_active.is_(True)
        )
    )


def is_password(staff: StaffMember | None, password: str, hasher: PasswordHasher) -> bool:
    """Say whether ``password`` is right, taking as long when there is no such account."""
    try:
        hasher.verify(staff.password_hash if staff else _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return staff is not None


def may_try(session: Session, email: str, address: str, *, now: datetime) -> bool:
    """Say whether another try is allowed now from this address for this account."""
    recent = and_(
        SignInFailure.address_hash == _hash(address), SignInFailure.at > now - THROTTLE_WINDOW
    )
    same = func.count().filter(SignInFailure.account_hash == _hash(email.strip().lower()))
    by_both, by_address = session.execute(select(same, func.count()).where(recent)).one()
    return not is_throttled(by_account_and_address=by_both, by_address=by_address)


def note_failure(session: Session, email: str, address: str, *, now: datetime) -> None:
    """Keep one refused try. Does not commit."""
    session.add(
        SignInFailure(
            account_hash=_hash(email.strip().lower()), address_hash=_hash(address), at=now
        )
    )


def begin(session: Session, staff: StaffMember, *, now: datetime) -> str:
    """Begin a session for ``staff`` and return its token. Does not commit."""
    token = secrets.token_urlsafe(32)
    session.add(SignIn(token_hash=_hash(token), staff_id=staff.id, created_at=now, seen_at=now))
    return token


def end(session: Session, token: str, *, now: datetime) -> None:
    """End one session. Does not commit."""
    session.execute(
        update(SignIn)
        .where(SignIn.token_hash == _hash(token), SignIn.ended_at.is_(None))
        .values(ended_at=now)
    )


def actor_of(
    session: Session, token: str, *, now: datetime, idle: timedelta, longest: timedelta
) -> tuple[Actor, datetime] | None:
    """Return who holds ``token`` and when they were last seen; None when it has ended.

    One statement. Roles are read each time, so a change counts from the next request on.
    """
    rows = session.execute(
        select(StaffMember, SignIn.seen_at, Membership.role, Membership.clinic_id)
        .join(SignIn, SignIn.staff_id == StaffMember.id)
        .join(
            Membership,
            and_(
                Membership.staff_id == StaffMember.id,
                Membership.from_on <= now.date(),
                or_(Membership.until_on.is_(None), Membership.until_on > now.date()),
            ),
        )
        .where(
            SignIn.token_hash == _hash(token),
            SignIn.ended_at.is_(None),
            SignIn.seen_at > now - idle,
            SignIn.created_at > now - longest,
            StaffMember.is_active.is_(True),
        )
        .order_by(Membership.id)
    ).all()
    if not rows:
        return None
    staff = rows[0].StaffMember
    held = tuple(Held(row.role, row.clinic_id) for row in rows)
    actor = Actor(
        staff.id,
        staff.name,
        staff.locale,
        staff.zone,
        held,
        now,
        staff.has_shortcuts,
        staff.sees_own_only,
    )
    return actor, rows[0].seen_at


def touch(session: Session, token: str, *, now: datetime) -> None:
    """Note that the session is in use. Does not commit."""
    session.execute(update(SignIn).where(SignIn.token_hash == _hash(token)).values(seen_at=now))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
