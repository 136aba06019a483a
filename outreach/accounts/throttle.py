"""Refused tries: counting them, and how long the next one waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from outreach import sealing
from outreach.accounts.models import SignInFailure
from outreach.accounts.rules import (
    FAILURES_COUNT_FOR,
    SWARM_WINDOW,
    Failures,
    Swarm,
    wait_before_next_try,
)
from outreach.brakes.rules import network_of


@dataclass(frozen=True)
class Source:
    """Where a try comes from: a network address, or a device that this account knows."""

    name: str
    is_known: bool = False

    @classmethod
    def at(cls, address: str | None) -> "Source":
        """Return the place of a network address: one customer's, however many they have."""
        return cls(network_of(address or ""))


def by_address(email: str) -> str:
    """Return the account that an e-mail address stands for, whatever somebody types as one."""
    return f"address {email.strip().lower()}"


def wait(session: Session, account: str, source: Source, *, now: datetime) -> timedelta:
    """Return how long the next try waits; nothing where it may come now.

    ``account``: what is guessed at; one kind of guess never has the name of another.
    """
    row = SignInFailure
    is_account = row.account_hash == _account_hash(account)
    is_source = row.address_hash == _address_hash(source.name)
    is_same = and_(is_account, is_source)
    swarm = and_(is_source, row.at > now - SWARM_WINDOW)
    found = session.execute(
        select(
            func.count().filter(is_same),
            func.max(row.at).filter(is_same),
            func.count().filter(is_account),
            func.max(row.at).filter(is_account),
            func.count(row.account_hash.distinct()).filter(swarm),
            func.max(row.at).filter(swarm),
        ).where(or_(is_account, is_source), row.at > now - FAILURES_COUNT_FOR)
    ).one()
    same, everywhere = Failures(found[0], found[1]), Failures(found[2], found[3])
    from_here = Swarm(found[4], found[5])
    if source.is_known:  # what strangers did to this account slows nobody on their own device
        everywhere, from_here = Failures(0, None), Swarm(0, None)
    return wait_before_next_try(same, everywhere, from_here, now=now)


def note_failure(session: Session, account: str, source: Source, *, now: datetime) -> None:
    """Keep one refused try. Does not commit."""
    session.add(
        SignInFailure(
            account_hash=_account_hash(account), address_hash=_address_hash(source.name), at=now
        )
    )


def forget(session: Session, account: str, source: Source) -> None:
    """Count from nothing again: this account got in from here. Does not commit."""
    session.execute(
        delete(SignInFailure).where(
            SignInFailure.account_hash == _account_hash(account),
            SignInFailure.address_hash == _address_hash(source.name),
        )
    )


def _account_hash(account: str) -> str:
    """Return what an account is known by again: without the key, addresses could be tried."""
    return sealing.keyed_hash(account, place="sign_in_failure.account_hash")


def _address_hash(name: str) -> str:
    return sealing.keyed_hash(name, place="sign_in_failure.address_hash")
