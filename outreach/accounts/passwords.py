"""Passwords: which may be chosen, how they are kept, and comparing them."""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.accounts.breached import is_listed
from outreach.accounts.models import Clinic, Membership, SignIn, StaffMember
from outreach.accounts.weak_passwords import is_weak
from outreach.errors import RuleBroken
from outreach.seeing import every_clinic

SHORTEST = 15  # a caller's password is all that keeps others out (ASVS 5.0, 6.2.1)
LONGEST = 256
# No password opens an account that has this: its owner was invited and has set none yet.
NOT_SET = "not set"

# Compared when no such account exists, so that the answer takes as long.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


class PasswordTooShort(RuleBroken):
    """Shorter than SHORTEST."""


class PasswordTooLong(RuleBroken):
    """Longer than LONGEST."""


class PasswordTooCommon(RuleBroken):
    """One that guessers try first."""


def check(
    password: str, own_words: Iterable[str] = (), *, breached_list: Path | None = None
) -> None:
    """Refuse a password that must not be chosen.

    ``own_words``: name and address of the person and the like, which guessers know.
    ``breached_list``: a file of breached passwords, see :mod:`breached`.

    Raises:
        PasswordTooShort, PasswordTooLong, PasswordTooCommon: its words may be shown.
    """
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise PasswordTooShort(f"Use at least {SHORTEST} characters.")
    if len(normal) > LONGEST:
        raise PasswordTooLong(f"Use at most {LONGEST} characters.")
    if is_weak(normal, own_words):
        raise PasswordTooCommon(
            "That is one of the passwords that are guessed first. Three or four words that "
            "have nothing to do with each other are better."
        )
    if breached_list is not None and is_listed(breached_list, password):
        raise PasswordTooCommon(
            "This password is in a list of stolen passwords. Choose one that you use nowhere else."
        )


def own_words(session: Session, person: StaffMember) -> list[str]:
    """Return what a guesser knows of somebody: their name and address, and where they work."""
    with every_clinic(session, "the name of where somebody works is no password"):
        clinics = session.scalars(
            select(Clinic.name)
            .join(Membership, Membership.clinic_id == Clinic.id)
            .where(Membership.staff_id == person.id)
        ).all()
    return [person.name, person.email, *clinics]


def hashed(password: str, hasher: PasswordHasher) -> str:
    """Return the hash of a password, however its letters were put together."""
    return hasher.hash(_normal(password))


def is_right(staff: StaffMember | None, password: str, hasher: PasswordHasher) -> bool:
    """Say whether ``password`` is right, taking as long when there is no such account."""
    known = staff.password_hash if staff and staff.password_hash != NOT_SET else _NOBODY
    try:
        hasher.verify(known, _normal(password))
    except (VerifyMismatchError, InvalidHashError):
        return False
    return staff is not None


def change(
    session: Session, person: StaffMember, password_hash: str, *, keep: str | None, now: datetime
) -> None:
    """Give somebody another password; their sessions end but the one hashed ``keep``.

    Does not commit.
    """
    session.execute(
        update(StaffMember).where(StaffMember.id == person.id).values(password_hash=password_hash)
    )
    others = SignIn.token_hash != keep if keep else SignIn.token_hash.is_not(None)
    session.execute(
        update(SignIn)
        .where(SignIn.staff_id == person.id, SignIn.ended_at.is_(None), others)
        .values(ended_at=now)
    )


def _normal(password: str) -> str:
    # One look, one password: an accent may be one character or two. NIST SP 800-63B-4, 3.1.1.2.
    return unicodedata.normalize("NFKC", password)
