"""Codes of an authenticator app: setting one up, and accepting a code once."""

import base64
import secrets
from datetime import datetime, timedelta

from pyotp.utils import build_uri
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from outreach.encryption import Cipher
from outreach.errors import RuleBroken
from outreach.factors.models import Authenticator
from outreach.factors.rules import SECRET_BYTES, clock_error, matching_step, step_at

ISSUER = "Outreach"
PLACE = "authenticator.secret"


class NotTheCode(RuleBroken):
    """The code is not the one that is shown now. ``ahead``: by how much the clock is off."""

    def __init__(self, ahead: timedelta | None = None) -> None:
        super().__init__("That is not the code that your app shows now.")
        self.ahead = ahead


def in_use(session: Session, staff_id: int) -> Authenticator | None:
    """Return the authenticator that somebody signs in with, if they have one."""
    return session.scalar(
        select(Authenticator).where(
            Authenticator.staff_id == staff_id,
            Authenticator.confirmed_at.is_not(None),
            Authenticator.ended_at.is_(None),
        )
    )


def propose(session: Session, staff_id: int, cipher: Cipher, *, now: datetime) -> bytes:
    """Return the secret of the authenticator being set up, made where there is none.

    It counts for nothing until a code of it was confirmed. Does not commit.
    """
    known = proposed(session, staff_id, cipher)
    if known is not None:
        return known
    secret = secrets.token_bytes(SECRET_BYTES)
    sealed = cipher.encrypt(secret, place=PLACE)
    session.add(Authenticator(staff_id=staff_id, secret=sealed, made_at=now))
    return secret


def proposed(session: Session, staff_id: int, cipher: Cipher) -> bytes | None:
    """Return the secret of the authenticator being set up, None where none is."""
    waiting = _waiting(session, staff_id)
    return cipher.decrypt(waiting.secret, place=PLACE) if waiting else None


def confirm(
    session: Session, staff_id: int, written: str, cipher: Cipher, *, now: datetime
) -> None:
    """Take the proposed authenticator into use; one in use before ends. Does not commit.

    Raises:
        NotTheCode: ``written`` is not its code now, or none was proposed.
    """
    waiting = _waiting(session, staff_id)
    if waiting is None:
        raise NotTheCode
    secret, at = cipher.decrypt(waiting.secret, place=PLACE), step_at(now)
    step = matching_step(secret, written, at=at)
    if step is None:
        raise NotTheCode(clock_error(secret, written, at=at))
    end(session, staff_id, now=now)
    waiting.confirmed_at, waiting.last_step = now, step
    session.flush()
    _forget_waiting(session, staff_id)


def accept(session: Session, staff_id: int, written: str, cipher: Cipher, *, now: datetime) -> bool:
    """Say whether ``written`` is the code now; if so, it is used up. Does not commit.

    Two requests with one code race for one row: one of them wins.
    """
    found = in_use(session, staff_id)
    if found is None:
        return False
    secret = cipher.decrypt(found.secret, place=PLACE)
    step = matching_step(secret, written, at=step_at(now), after=found.last_step)
    if step is None:
        return False
    used = session.execute(
        update(Authenticator)
        .where(
            Authenticator.id == found.id,
            or_(Authenticator.last_step.is_(None), Authenticator.last_step < step),
        )
        .values(last_step=step)
        .returning(Authenticator.id)
    )
    return used.first() is not None


def end(session: Session, staff_id: int, *, now: datetime) -> bool:
    """Take somebody's authenticator out of use; say whether there was one. Does not commit."""
    ended = session.execute(
        update(Authenticator)
        .where(
            Authenticator.staff_id == staff_id,
            Authenticator.confirmed_at.is_not(None),
            Authenticator.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(Authenticator.id)
    )
    return ended.first() is not None


def uri(secret: bytes, email: str) -> str:
    """Return the address that the QR picture holds (otpauth, as authenticator apps read it)."""
    return build_uri(base64.b32encode(secret).decode().rstrip("="), email, issuer=ISSUER)


def _waiting(session: Session, staff_id: int) -> Authenticator | None:
    return session.scalar(
        select(Authenticator)
        .where(
            Authenticator.staff_id == staff_id,
            Authenticator.confirmed_at.is_(None),
            Authenticator.ended_at.is_(None),
        )
        .order_by(Authenticator.id)
        .limit(1)
    )


def _forget_waiting(session: Session, staff_id: int) -> None:
    session.execute(
        delete(Authenticator).where(
            Authenticator.staff_id == staff_id,
            Authenticator.confirmed_at.is_(None),
        )
    )
