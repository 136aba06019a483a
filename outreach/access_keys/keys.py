"""Keys by which other systems read one clinic: making, revoking, recognising and counting them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, select, update
from sqlalchemy.orm import Session, aliased

from outreach import orm
from outreach.access_keys.models import AccessKey
from outreach.access_keys.rules import SOON, Minute, end_of, prefix_of, written
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor
from outreach.accounts.scoping import visible_clinics
from outreach.audit import trail
from outreach.clock import local_day
from outreach.encryption import Cipher
from outreach.errors import NotFound, RuleBroken

KIND = "access_key"


class NoSuchKey(NotFound):
    """There is no such key, or it is none of a clinic of theirs."""


class MadeBefore(RuleBroken):
    """The button was pressed twice. The key was shown the first time."""


@dataclass(frozen=True)
class NewKey:
    """What somebody wants: for which system, where and what for, to the end of which day there."""

    clinic: Clinic
    name: str
    purpose: str
    last_day: date
    form_key: str


@dataclass(frozen=True)
class Line:
    """One key as people see it."""

    id: int
    name: str
    purpose: str
    prefix: str
    clinic: str
    zone: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None

    @property
    def made_on(self) -> date:
        """The day at the clinic on which it was made."""
        return local_day(self.made_at, ZoneInfo(self.zone))

    @property
    def last_day(self) -> date:
        """The last day at the clinic on which it holds."""
        return local_day(self.expires_at - timedelta(seconds=1), ZoneInfo(self.zone))

    @property
    def revoked_on(self) -> date | None:
        """The day at the clinic on which it was revoked."""
        return local_day(self.revoked_at, ZoneInfo(self.zone)) if self.revoked_at else None

    def ends_soon(self, now: datetime) -> bool:
        """Say whether it is time to make the next one."""
        return self.is_open(now) and self.expires_at - now <= SOON

    def is_open(self, now: datetime) -> bool:
        """Say whether the key opens anything."""
        return self.revoked_at is None and self.expires_at > now


@dataclass(frozen=True)
class Holder:
    """The system that asks: its key, and the one clinic that it reads."""

    key_id: int
    clinic_id: int


def make(session: Session, actor: Actor, new: NewKey, cipher: Cipher, *, now: datetime) -> str:
    """Return a new key. It is kept as a hash, so this is the only time that anybody sees it.

    Does not commit.

    Raises:
        MadeBefore: there is a key of this form.
    """
    key = written(secrets.token_hex(4), secrets.token_urlsafe(32))
    row = {
        "clinic_id": new.clinic.id,
        "name": new.name,
        "purpose": new.purpose,
        "prefix": prefix_of(key),
        "secret_hash": cipher.blind_index(_hashed(key)),
        "form_key": new.form_key,
        "made_by_id": actor.staff_id,
        "made_at": now,
        "expires_at": end_of(new.last_day, ZoneInfo(new.clinic.zone)),
        "minute_count": 0,
    }
    if not orm.insert_new(session, AccessKey, [row]):
        raise MadeBefore("This key was made already and can't be shown again.")
    key_id = session.scalar(select(AccessKey.id).where(AccessKey.form_key == new.form_key))
    trail.record(
        session,
        "made an access key",
        actor_id=actor.staff_id,
        now=now,
        clinic_id=new.clinic.id,
        about=(KIND, key_id),
    )
    return key


def revoke(session: Session, actor: Actor, key_id: int, *, now: datetime) -> None:
    """End a key at once; one that is revoked stays as it is. Does not commit.

    Raises:
        NoSuchKey
    """
    clinic_id = session.scalar(
        select(AccessKey.clinic_id).where(
            AccessKey.id == key_id, visible_clinics(actor.scope, AccessKey.clinic_id)
        )
    )
    if clinic_id is None:
        raise NoSuchKey("There is no such key.")
    ended = session.execute(
        update(AccessKey)
        .where(AccessKey.id == key_id, AccessKey.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by_id=actor.staff_id)
        .returning(AccessKey.id)
    )
    if ended.first() is None:
        return
    trail.record(
        session,
        "revoked an access key",
        actor_id=actor.staff_id,
        now=now,
        clinic_id=clinic_id,
        about=(KIND, key_id),
    )


def lines(session: Session, actor: Actor, *, now: datetime) -> Sequence[Line]:
    """Return the keys of the clinics of ``actor``: those that open first, then the newest."""
    by, ended_by = aliased(StaffMember), aliased(StaffMember)
    is_over = (AccessKey.revoked_at.is_not(None)) | (AccessKey.expires_at <= now)
    query: Select[*tuple[Any, ...]] = (
        select(
            AccessKey.id,
            AccessKey.name,
            AccessKey.purpose,
            AccessKey.prefix,
            Clinic.name,
            Clinic.zone,
            by.name,
            AccessKey.made_at,
            AccessKey.expires_at,
            AccessKey.last_used_at,
            AccessKey.revoked_at,
            ended_by.name,
        )
        .join(Clinic, Clinic.id == AccessKey.clinic_id)
        .join(by, by.id == AccessKey.made_by_id)
        .outerjoin(ended_by, ended_by.id == AccessKey.revoked_by_id)
        .where(visible_clinics(actor.scope, AccessKey.clinic_id))
        .order_by(case((is_over, 1), else_=0), AccessKey.made_at.desc(), AccessKey.id.desc())
    )
    return [Line(*row) for row in session.execute(query)]


def holder(session: Session, key: str, cipher: Cipher, *, now: datetime) -> Holder | None:
    """Return whose key it is; None where it is no key, is over or was revoked."""
    if prefix_of(key) is None:
        return None
    found = session.execute(
        select(AccessKey.id, AccessKey.clinic_id).where(
            AccessKey.secret_hash.in_(cipher.blind_indexes(_hashed(key))),
            AccessKey.revoked_at.is_(None),
            AccessKey.expires_at > now,
        )
    ).one_or_none()
    return None if found is None else Holder(*found)


def count(session: Session, key_id: int, key: str, cipher: Cipher, *, now: datetime) -> int:
    """Count one request of a key; return how many it made in this minute. Does not commit.

    From now on the newest data key hashes it, so that older ones may be retired.
    """
    minute = Minute.of(now).began_at
    is_same = AccessKey.minute_at == minute
    made = session.scalar(
        update(AccessKey)
        .where(AccessKey.id == key_id)
        .values(
            last_used_at=now,
            secret_hash=cipher.blind_index(_hashed(key)),
            minute_at=minute,
            minute_count=case((is_same, AccessKey.minute_count + 1), else_=1),
        )
        .returning(AccessKey.minute_count)
    )
    return made or 0


def _hashed(key: str) -> str:
    return f"access key {key}"
