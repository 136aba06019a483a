"""Work the scheduler starts for calls."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from outreach.calls import courtesies, leases, letters, outcomes
from outreach.clock import Clock
from outreach.errors import ProviderUnavailable
from outreach.messaging import outbox
from outreach.orm import Sessions, for_each, reading
from outreach.planning import catch_up, interruption
from outreach.planning.catch_up import Overdue
from outreach.planning.jobs import beat
from outreach.planning.models import PlannedCall
from outreach.telephony.mail import LetterPutOff, LetterRefused, LetterUnknown, Mailer, Post

log = logging.getLogger(__name__)

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
    """E-mail the weekly word to the managers who are due; return how many the server took.

    What the server does not take for now has no row afterwards: the next tick tries again.
    """
    with reading(), sessions() as session:
        found = letters.due(session, now=clock(), public_url=public_url)
    if not found:
        return 0
    taken = 0
    try:
        with mailer.connected() as post:
            for each in found:
                taken += _mail(sessions, post, each, clock)
    except LetterUnknown:  # nothing else can go over this connection: the rest waits
        log.warning("a letter may not have gone out: its row shows it")
    except ProviderUnavailable as error:
        log.warning("%s What is left of %s letters waits.", error, len(found))
    return taken


def _mail(sessions: Sessions, post: Post, due: letters.Due, clock: Clock) -> bool:
    """Hand one letter over; say whether the server took it.

    One that is put off holds up no other: a full mailbox may be full all day.
    """
    with sessions.begin() as session:
        if not letters.begin(session, due, now=clock()):
            return False
    failure = None
    try:
        post(due.letter)
    except LetterRefused as error:
        failure = str(error)
    except LetterUnknown:  # the row stays as it is
        raise
    except ProviderUnavailable as error:
        with sessions.begin() as session:
            letters.take_back(session, due.key)
        if not isinstance(error, LetterPutOff):
            raise
        log.warning("%s It waits.", error)
        return False
    with sessions.begin() as session:
        letters.note(session, due.key, failure=failure, now=clock())
    return failure is None
