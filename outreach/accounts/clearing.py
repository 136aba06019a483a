"""Deleting what signing in leaves behind, once it is of no use and nobody asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute

from outreach import orm
from outreach.accounts.models import AccessLink, SignIn, SignInFailure
from outreach.accounts.rules import ACCESS_KEPT_FOR, FAILURES_COUNT_FOR, LINKS_KEPT_FOR
from outreach.among import among
from outreach.brakes.models import BrakeCount
from outreach.factors.models import PasskeyChallenge
from outreach.orm import Model, Sessions

PAGE = 500


@dataclass(frozen=True)
class _Left:
    """Rows of one table that may go once ``at`` is over. They are made in the order of ids."""

    table: type[Model]
    id: InstrumentedAttribute[int]
    at: InstrumentedAttribute[datetime]
    before: datetime


def clear(sessions: Sessions, *, now: datetime) -> int:
    """Delete what is over, a page at a time, each in a transaction of its own; return how many.

    Sessions tell who had access, and are kept as long as the law wants that known.
    """
    left = (
        _Left(SignInFailure, SignInFailure.id, SignInFailure.at, now - FAILURES_COUNT_FOR),
        _Left(
            PasskeyChallenge,
            PasskeyChallenge.id,
            PasskeyChallenge.made_at,
            now - FAILURES_COUNT_FOR,
        ),
        _Left(BrakeCount, BrakeCount.id, BrakeCount.began_at, now - FAILURES_COUNT_FOR),
        _Left(AccessLink, AccessLink.id, AccessLink.expires_at, now - LINKS_KEPT_FOR),
        _Left(SignIn, SignIn.id, SignIn.seen_at, now - ACCESS_KEPT_FOR),
    )
    return sum(_clear(sessions, each) for each in left)


def _clear(sessions: Sessions, left: _Left) -> int:
    done = 0
    while ids := _over(sessions, left):
        with sessions.begin() as session:
            session.execute(delete(left.table).where(among(left.id, ids)))
        done += len(ids)
    return done


def _over(sessions: Sessions, left: _Left) -> Sequence[int]:
    """Return which of the oldest rows are over. No other row is looked at."""
    with orm.reading(), sessions() as session:
        oldest = session.execute(select(left.id, left.at).order_by(left.id).limit(PAGE)).all()
    return [row_id for row_id, at in oldest if at <= left.before]
