"""Where somebody is signed in, and ending it from elsewhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import SignIn


def open_of(
    session: Session, staff_id: int, *, now: datetime, idle: timedelta, longest: timedelta
) -> Sequence[SignIn]:
    """Return somebody's sessions that go on, the last used first."""
    return session.scalars(
        select(SignIn)
        .where(
            SignIn.staff_id == staff_id,
            SignIn.awaits_factor.is_(False),
            SignIn.ended_at.is_(None),
            SignIn.seen_at > now - idle,
            SignIn.created_at > now - longest,
        )
        .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
    ).all()


def end_one(session: Session, staff_id: int, sign_in_id: int, *, now: datetime) -> bool:
    """End one session of somebody's own; say whether it was going on. Does not commit."""
    ended = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.staff_id == staff_id, SignIn.ended_at.is_(None))
        .values(ended_at=now)
        .returning(SignIn.id)
    )
    return ended.first() is not None


def end_all(session: Session, staff_id: int, *, now: datetime, but: int | None = None) -> int:
    """End somebody's sessions but the one with the id ``but``; return how many.

    Does not commit.
    """
    ended = session.execute(
        update(SignIn)
        .where(SignIn.staff_id == staff_id, SignIn.ended_at.is_(None), SignIn.id != (but or 0))
        .values(ended_at=now)
        .returning(SignIn.id)
    )
    return len(ended.all())


# The first of these that a browser names is what people call it; the order matters.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def device_words(user_agent: str) -> tuple[str | None, str | None]:
    """Return what people call a browser and its machine, None for what we can't tell."""

    def first(names: Sequence[tuple[str, str]]) -> str | None:
        return next((word for mark, word in names if mark in user_agent), None)

    return first(_BROWSERS), first(_MACHINES)
