"""Passkeys (WebAuthn): registering them, and signing in by one.

Each is asked to verify its user (by finger, face or PIN), so that one passkey is two factors.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from outreach.factors.models import Passkey, PasskeyChallenge
from outreach.factors.rules import CHALLENGE_LIVES, PasskeyRefused, key_id_of

__all__ = ["PasskeyRefused"]  # for those who ask here

MOST_PASSKEYS = 20


@dataclass(frozen=True)
class Site:
    """Where passkeys hold: ``origin`` is the public address that browsers show."""

    origin: str

    @property
    def rp_id(self) -> str:
        """The host name that a passkey is bound to."""
        return urlsplit(self.origin).hostname or "localhost"

    @property
    def is_possible(self) -> bool:
        """Whether browsers make passkeys here: for host names, by TLS or on this machine."""
        parts = urlsplit(self.origin)
        is_number = self.rp_id.replace(".", "").isdigit() or ":" in self.rp_id
        return not is_number and (parts.scheme == "https" or self.rp_id == "localhost")


@dataclass(frozen=True)
class Holder:
    """Whose passkey it is to be."""

    staff_id: int
    email: str
    name: str


def of(session: Session, staff_id: int) -> Sequence[Passkey]:
    """Return somebody's passkeys, oldest first."""
    return session.scalars(
        select(Passkey)
        .where(Passkey.staff_id == staff_id, Passkey.removed_at.is_(None))
        .order_by(Passkey.id)
    ).all()


def registration(session: Session, site: Site, holder: Holder, *, now: datetime) -> str:
    """Return what the browser is asked to make a passkey from, as JSON. Does not commit."""
    from outreach.factors import ceremonies  # noqa: PLC0415 - see there

    known_ids = [each.credential_id for each in of(session, holder.staff_id)]
    # The same for all passkeys of one person, and nothing about them.
    user_id = hashlib.sha256(f"outreach staff {holder.staff_id}".encode()).digest()
    asked = ceremonies.registration(site.rp_id, user_id, holder.email, holder.name, known_ids)
    _ask(session, asked.challenge, holder.staff_id, now=now)
    return asked.text


def register(
    session: Session, site: Site, staff_id: int, answer: Any, name: str, *, now: datetime
) -> Passkey:
    """Keep the passkey that a device made. Does not commit.

    Raises:
        PasskeyRefused: the answer does not fit, or there are MOST_PASSKEYS already.
    """
    from outreach.factors import ceremonies  # noqa: PLC0415 - see there

    challenge = _answered(session, answer, staff_id, now=now)
    if len(of(session, staff_id)) >= MOST_PASSKEYS:
        raise PasskeyRefused("You have as many passkeys as one can have. Remove one first.")
    made = ceremonies.made(answer, challenge, rp_id=site.rp_id, origin=site.origin)
    passkey = Passkey(
        staff_id=staff_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name="".join(filter(str.isprintable, name)).strip()[:60] or "Passkey",
        made_at=now,
    )
    session.add(passkey)
    session.flush()
    return passkey


def question(session: Session, site: Site, staff_id: int | None, *, now: datetime) -> str:
    """Return what the browser asks a passkey to sign, as JSON. Does not commit.

    ``staff_id`` None: at the door, where nobody has said who they are.
    """
    from outreach.factors import ceremonies  # noqa: PLC0415 - see there

    known = of(session, staff_id) if staff_id is not None else ()
    asked = ceremonies.authentication(site.rp_id, [each.credential_id for each in known])
    _ask(session, asked.challenge, staff_id, now=now)
    return asked.text


def accept(
    session: Session, site: Site, answer: Any, staff_id: int | None, *, now: datetime
) -> Passkey:
    """Return the passkey that signed ``answer``. Does not commit.

    Raises:
        PasskeyRefused: unknown key, another person's, a wrong signature, a used challenge, or
            a count that went back (a copy of the key).
    """
    from outreach.factors import ceremonies  # noqa: PLC0415 - see there

    challenge = _answered(session, answer, staff_id, now=now)
    passkey = session.scalar(
        select(Passkey)
        .where(Passkey.credential_id == key_id_of(answer.get("id")), Passkey.removed_at.is_(None))
        .with_for_update()
    )
    if passkey is None or staff_id not in (None, passkey.staff_id):
        raise PasskeyRefused("That passkey is not one of ours.")
    passkey.sign_count = ceremonies.sign_count(
        answer,
        challenge,
        rp_id=site.rp_id,
        origin=site.origin,
        public_key=passkey.public_key,
        counted=passkey.sign_count,
    )
    passkey.used_at = now
    return passkey


def remove(session: Session, staff_id: int, passkey_id: int, *, now: datetime) -> bool:
    """Remove one of somebody's passkeys; say whether there was one. Does not commit."""
    return _remove(session, Passkey.staff_id == staff_id, Passkey.id == passkey_id, now=now)


def remove_all(session: Session, staff_id: int, *, now: datetime) -> bool:
    """Remove all of somebody's passkeys; say whether there were any. Does not commit."""
    return _remove(session, Passkey.staff_id == staff_id, now=now)


def _remove(session: Session, *which: Any, now: datetime) -> bool:
    removed = session.execute(
        update(Passkey)
        .where(*which, Passkey.removed_at.is_(None))
        .values(removed_at=now)
        .returning(Passkey.id)
    ).all()
    return bool(removed)


def _ask(session: Session, challenge: bytes, staff_id: int | None, *, now: datetime) -> None:
    session.execute(
        delete(PasskeyChallenge).where(PasskeyChallenge.made_at < now - 2 * CHALLENGE_LIVES)
    )
    session.add(PasskeyChallenge(challenge_hash=_hash(challenge), staff_id=staff_id, made_at=now))


def _answered(session: Session, answer: Any, staff_id: int | None, *, now: datetime) -> bytes:
    """Return the challenge that ``answer`` answers, which is used up by that."""
    from outreach.factors import ceremonies  # noqa: PLC0415 - see there

    challenge = ceremonies.challenge_of(answer)
    whose = PasskeyChallenge.staff_id
    used = session.execute(
        update(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge_hash == _hash(challenge),
            whose.is_(None) if staff_id is None else whose == staff_id,
            PasskeyChallenge.made_at > now - CHALLENGE_LIVES,
            PasskeyChallenge.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(PasskeyChallenge.id)
    )
    if used.first() is None:
        raise PasskeyRefused("That took too long. Try again.")
    return challenge


def _hash(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
