"""Signing in and out: sessions live in the database, so ending one ends it everywhere."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from outreach.accounts.models import EmergencyAccess, Membership, SignIn, StaffMember
from outreach.accounts.rules import HALF_SIGNED_IN_FOR, Actor, Held, Role
from outreach.factors.models import Authenticator, Passkey
from outreach.orm import rows_of
from outreach.sealing import is_either

SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Browser:
    """What a browser says of itself, and where it is."""

    device: str
    address: str


@dataclass(frozen=True)
class Present:
    """Somebody signed in: who, when last seen, when they last proved who they are."""

    actor: Actor
    sign_in_id: int
    seen_at: datetime
    confirmed_at: datetime | None
    has_factor: bool


def find(session: Session, email: str) -> StaffMember | None:
    """Return the active account with this address, in any letter case."""
    return session.scalar(
        select(StaffMember).where(has_email(email), StaffMember.is_active.is_(True))
    )


def has_email(email: str) -> ColumnElement[bool]:
    """Return the condition that somebody has this address, in any letter case."""
    return is_either(StaffMember.email, email.strip().lower())


def begin(
    session: Session,
    staff: StaffMember,
    browser: Browser | None = None,
    *,
    now: datetime,
    awaits_factor: bool = False,
) -> str:
    """Begin a session for ``staff`` and return its token. Does not commit.

    One that ``awaits_factor`` opens nothing until it is exchanged for another.
    """
    token = secrets.token_urlsafe(32)
    browser = browser or Browser("", "")
    session.add(
        SignIn(
            token_hash=token_hash(token),
            staff_id=staff.id,
            created_at=now,
            seen_at=now,
            awaits_factor=awaits_factor,
            confirmed_at=None if awaits_factor else now,
            device=browser.device[:300],
            address=browser.address[:45],
        )
    )
    return token


def end(session: Session, token: str, *, now: datetime) -> None:
    """End one session. Does not commit."""
    session.execute(
        update(SignIn)
        .where(SignIn.token_hash == token_hash(token), SignIn.ended_at.is_(None))
        .values(ended_at=now)
    )


def half_signed_in(session: Session, token: str, *, now: datetime) -> StaffMember | None:
    """Return who gave the right password under ``token`` and owes the second factor."""
    return session.scalar(
        select(StaffMember)
        .join(SignIn, SignIn.staff_id == StaffMember.id)
        .where(
            SignIn.token_hash == token_hash(token),
            SignIn.awaits_factor.is_(True),
            SignIn.ended_at.is_(None),
            SignIn.created_at > now - HALF_SIGNED_IN_FOR,
            StaffMember.is_active.is_(True),
        )
    )


def confirm(session: Session, token: str, *, now: datetime) -> str:
    """Note that the person behind ``token`` proved once more who they are; return a new token.

    The session goes on under it; the old token opens nothing. Does not commit.
    """
    fresh = secrets.token_urlsafe(32)
    session.execute(
        update(SignIn)
        .where(SignIn.token_hash == token_hash(token), SignIn.ended_at.is_(None))
        .values(token_hash=token_hash(fresh), confirmed_at=now, seen_at=now)
    )
    return fresh


def present(
    session: Session,
    token: str,
    *,
    now: datetime,
    idle: timedelta,
    longest: timedelta,
    needs_reason: bool = False,
) -> Present | None:
    """Return who holds ``token``; None when it has ended.

    One statement. Roles are read each time, so a change counts from the next request on.
    ``needs_reason``: administrators see only patients that they opened with a reason, which
    takes a second one.
    """
    wanted = {
        "token_hash": token_hash(token),
        "today": now.date(),
        "seen_since": now - idle,
        "since": now - longest,
    }
    rows = rows_of(session, _present(), wanted)
    if not rows:
        return None
    first = rows[0]
    held = tuple(Held(row.role, row.clinic_id) for row in rows)
    actor = Actor(
        first.staff_id,
        first.name,
        first.locale,
        first.zone,
        held,
        now,
        first.has_shortcuts,
        first.sees_own_only,
    )
    if needs_reason:
        actor = narrowed(session, actor, now=now)
    return Present(
        actor, first.sign_in_id, first.seen_at, first.confirmed_at, has_factor=first.has_factor
    )


@cache
def _present() -> Select[*tuple[Any, ...]]:
    """Return the statement of :func:`present`, a row a role; built once, as each page asks it.

    For ``token_hash``, ``today``, ``seen_since`` and ``since``.
    """
    today: ColumnElement[date] = bindparam("today", type_=Date())
    return (
        select(
            StaffMember.id.label("staff_id"),
            StaffMember.name,
            StaffMember.locale,
            StaffMember.zone,
            StaffMember.has_shortcuts,
            StaffMember.sees_own_only,
            SignIn.id.label("sign_in_id"),
            SignIn.seen_at,
            SignIn.confirmed_at,
            has_factor(StaffMember.id).label("has_factor"),
            Membership.role,
            Membership.clinic_id,
        )
        .join(SignIn, SignIn.staff_id == StaffMember.id)
        .join(
            Membership,
            and_(
                Membership.staff_id == StaffMember.id,
                Membership.from_on <= today,
                or_(Membership.until_on.is_(None), Membership.until_on > today),
            ),
        )
        .where(
            SignIn.token_hash == bindparam("token_hash"),
            SignIn.awaits_factor.is_(False),
            SignIn.ended_at.is_(None),
            SignIn.seen_at > bindparam("seen_since"),
            SignIn.created_at > bindparam("since"),
            StaffMember.is_active.is_(True),
        )
        .order_by(Membership.id)
    )


def narrowed(session: Session, actor: Actor, *, now: datetime) -> Actor:
    """Return an administrator as one to whom only patients opened with a reason exist."""
    if Role.ADMINISTRATOR not in actor.roles:
        return actor
    opened = session.scalars(
        select(EmergencyAccess.patient_id).where(
            EmergencyAccess.staff_id == actor.staff_id, EmergencyAccess.until_at > now
        )
    )
    return replace(actor, opened_patients=frozenset(opened))


def owes_second_step(session: Session, staff_id: int) -> bool:
    """Say whether somebody's password alone does not let them in."""
    return bool(session.scalar(select(has_factor(staff_id))))


def has_factor(staff_id: Any) -> ColumnElement[bool]:
    """Return the condition that somebody has a second factor in use."""
    codes = exists().where(
        Authenticator.staff_id == staff_id,
        Authenticator.confirmed_at.is_not(None),
        Authenticator.ended_at.is_(None),
    )
    keys = exists().where(Passkey.staff_id == staff_id, Passkey.removed_at.is_(None))
    return or_(codes, keys)


def touch(session: Session, token: str, *, now: datetime) -> None:
    """Note that the session is in use. Does not commit."""
    session.execute(
        update(SignIn).where(SignIn.token_hash == token_hash(token)).values(seen_at=now)
    )


def token_hash(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
