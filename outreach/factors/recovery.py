"""Recovery codes: a set of ten, shown once, each good for one sign-in."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from outreach.encryption import Cipher
from outreach.factors.models import RecoveryCode
from outreach.factors.rules import RECOVERY_CODES, new_recovery_code, recovery_code_of


def renew(session: Session, staff_id: int, cipher: Cipher, *, now: datetime) -> list[str]:
    """Replace somebody's codes; return the new ones, which nobody can be shown again.

    Does not commit.
    """
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes: set[str] = set()
    while len(codes) < RECOVERY_CODES:
        codes.add(new_recovery_code())
    session.add_all(
        RecoveryCode(
            staff_id=staff_id, code_hash=cipher.blind_index(_keyed(staff_id, code)), made_at=now
        )
        for code in codes
    )
    return sorted(codes)


def accept(session: Session, staff_id: int, written: str, cipher: Cipher, *, now: datetime) -> bool:
    """Say whether ``written`` is an unused code of theirs; if so, it is used up.

    Does not commit.
    """
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.code_hash.in_(cipher.blind_indexes(_keyed(staff_id, written))),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return used.first() is not None


def left(session: Session, staff_id: int) -> tuple[int, int]:
    """Return how many codes are unused, and of how many."""
    unused = func.count().filter(RecoveryCode.used_at.is_(None))
    found = session.execute(
        select(unused, func.count()).where(RecoveryCode.staff_id == staff_id)
    ).one()
    return found[0], found[1]


def end(session: Session, staff_id: int) -> None:
    """Make somebody's codes worthless. Does not commit."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))


def _keyed(staff_id: int, written: str) -> str:
    return f"recovery_code:{staff_id}:{recovery_code_of(written)}"
