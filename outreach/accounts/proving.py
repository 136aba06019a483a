"""Proving who one is: by password, by code, by recovery code; each try counted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from outreach.accounts import passwords, throttle
from outreach.accounts.models import StaffMember
from outreach.accounts.throttle import Source
from outreach.encryption import Cipher
from outreach.errors import RuleBroken
from outreach.factors import authenticator, recovery
from outreach.factors.rules import digits_of


class MustWait(RuleBroken):
    """Too many tries were refused; the next one may come after ``wait``."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("Too many tries.")
        self.wait = wait


class NotProved(RuleBroken):
    """The code or password is not right."""


@dataclass(frozen=True)
class Prover:
    """What proofs are checked with."""

    hasher: PasswordHasher
    cipher: Cipher


def by_code(
    session: Session,
    person: StaffMember,
    written: str,
    prover: Prover,
    source: Source,
    *,
    now: datetime,
) -> None:
    """Accept a code of the app, or a recovery code, as the second step of signing in.

    Does not commit; commit also when this raises, so that the try is counted.

    Raises:
        MustWait, NotProved
    """

    def is_right() -> bool:
        if digits_of(written):
            return authenticator.accept(session, person.id, written, prover.cipher, now=now)
        return recovery.accept(session, person.id, written, prover.cipher, now=now)

    _counted(session, person, is_right, source, now=now)


def again(
    session: Session,
    person: StaffMember,
    written: str,
    prover: Prover,
    source: Source,
    *,
    now: datetime,
) -> None:
    """Accept the password, or a code of the app, of somebody who is signed in.

    Does not commit; commit also when this raises.

    Raises:
        MustWait, NotProved
    """

    def is_right() -> bool:
        has_app = authenticator.in_use(session, person.id) is not None
        if has_app and digits_of(written):
            return authenticator.accept(session, person.id, written, prover.cipher, now=now)
        return passwords.is_right(person, written, prover.hasher)

    _counted(session, person, is_right, source, now=now)


def _counted(
    session: Session,
    person: StaffMember,
    is_right: Callable[[], bool],
    source: Source,
    *,
    now: datetime,
) -> None:
    account = f"proof of {person.id}"
    wait = throttle.wait(session, account, source, now=now)
    if wait:
        raise MustWait(wait)
    if not is_right():
        throttle.note_failure(session, account, source, now=now)
        raise NotProved("That is not right.")
    throttle.forget(session, account, source)
