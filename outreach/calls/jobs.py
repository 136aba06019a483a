"""Work the scheduler starts for calls."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from outreach.calls import courtesies, leases, letters, outcomes
from outreach.clock import Clock
from outreach.messaging import outbox
from outreach.messaging.jobs import hand_over_letters
from outreach.messaging.letters import Due
from outreach.orm import Sessions, for_each, reading
from outreach.planning import catch_up, interruption
from outreach.planning.catch_up import Overdue
from outreach.planning.jobs import beat
from outreach.planning.models import PlannedCall
from outreach.telephony.mail import Mailer

BATCH = 500  # calls that are read at once
# Alerts and texts wait for a tick to end: what is left belongs to the next one.
GIVES_WAY_AFTER = timedelta(seconds=10)


def catch_up_overdue_calls(sessions: Sessions, clock: Clock) -> int:
    """Move on calls whose time to dial has passed, or close them as missed; return how many.

    A transaction each: one bad row never holds up the rest. A call that somebody has open
    is left to them. After days off it takes several ticks.
    """
    began, done = clock(), 0
    last: Overdue | None = None
    while True:
        with reading(), sessions() as session:
            page = catch_up.overdue(session, now=began, after=last, limit=BATCH)
            in_hands = leases.held_ids(session, [each.call_id for each in page], now=began)
        ids = [each.call_id for each in page if each.call_id not in in_hands]
        done += _move_on(sessions, ids, now=clock())
        if len(page) < BATCH or clock() - began >= GIVES_WAY_AFTER:
            return done
        last = page[-1]


def _move_on(sessions: Sessions, ids: Sequence[int], *, now: datetime) -> int:
    away_id = beat(sessions, now=now)

    def move_on(call_id: int) -> bool:
        with sessions.begin() as session:
            dials = outcomes.dials_of(session, call_id)
            is_moved_on = catch_up.move_on(session, call_id, dials, now=now) is not None
            if is_moved_on and away_id is not None:
                call = session.get_one(PlannedCall, call_id)
                interruption.count_caught_up(session, away_id, call)
            return is_moved_on

    return for_each(ids, move_on)


def write_courtesies(sessions: Sessions, clock: Clock, public_url: str | None = None) -> int:
    """Write the texts around calls that clinics want; return how many are new.

    ``public_url`` is the address at which staff reach the product, None where none is configured.
    Each kind in a transaction of its own: one that fails never stops the others.
    """
    now, kinds = clock(), courtesies.every(public_url)

    def write(index: int) -> int:
        with reading(), sessions() as session:
            texts = kinds[index](session, now=now)
        if not texts:
            return 0
        with sessions.begin() as session:
            return outbox.write(session, texts)

    return for_each(range(len(kinds)), write)


def mail_digests(
    sessions: Sessions, mailer: Mailer, clock: Clock, public_url: str | None = None
) -> int:
    """E-mail the weekly word to the managers who are due; return how many the server took."""

    def due(session: Session, now: datetime) -> list[Due]:
        return letters.due(session, now=now, public_url=public_url)

    return hand_over_letters(sessions, mailer, clock, due)
