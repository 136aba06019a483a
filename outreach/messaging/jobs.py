"""Work the scheduler starts for texts."""

import enum
import logging
import random
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from outreach.clock import Clock
from outreach.errors import ProviderUnavailable
from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import SETTLE_AFTER
from outreach.orm import Sessions, for_each, reading
from outreach.telephony.gateway import (
    InvalidRecipient,
    OptedOut,
    OutboundSms,
    OutcomeUnknown,
    Refused,
    TelephonyGateway,
)

log = logging.getLogger(__name__)


def send_due_messages(sessions: Sessions, gateway: TelephonyGateway, clock: Clock) -> int:
    """Send every text whose time has come; return how many the carrier took.

    Beginning and storing the result are transactions of their own on both sides of the
    carrier. One bad text never holds up the rest.
    """
    with reading(), sessions() as session:
        message_ids = outbox.due_ids(session, now=clock())

    trouble = 0

    def send(message_id: int) -> bool:
        nonlocal trouble
        if trouble:  # a carrier that does not answer would hold up everything else
            return False
        with sessions.begin() as session:
            sms = outbox.begin(session, message_id, now=clock())
        if sms is None:
            return False
        fate = _hand_over(sessions, gateway, sms, clock)
        trouble += fate is Fate.NO_ANSWER
        return fate is Fate.TAKEN

    return for_each(message_ids, send)


def settle_lost_messages(sessions: Sessions, gateway: TelephonyGateway, clock: Clock) -> int:
    """Look up texts of which we don't know whether they went out; return how many are settled.

    Found at the carrier: accepted. Not found, long enough after asking: sent again.
    """
    with reading(), sessions() as session:
        message_ids = outbox.lost_ids(session, now=clock())
    return for_each(message_ids, lambda each: _settle(sessions, gateway, each, clock))


class Fate(enum.Enum):
    """What came of asking the carrier."""

    TAKEN = enum.auto()
    REFUSED = enum.auto()
    NO_ANSWER = enum.auto()


def _hand_over(
    sessions: Sessions, gateway: TelephonyGateway, sms: OutboundSms, clock: Clock
) -> Fate:
    """Ask the carrier and store what it said."""
    try:
        receipt = gateway.send_sms(sms)
    except OutcomeUnknown as error:
        log.warning("message %s: no answer (%s)", sms.reference, error)
        with sessions.begin() as session:
            outbox.mark_unknown(session, sms.reference)
        return Fate.NO_ANSWER
    except ProviderUnavailable as error:
        log.warning("message %s: not taken (%s)", sms.reference, type(error).__name__)
        with sessions.begin() as session:
            jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
            outbox.try_again(session, sms.reference, jitter=jitter, now=clock())
        return Fate.NO_ANSWER
    except (InvalidRecipient, OptedOut, Refused) as error:
        log.warning("message %s: refused (%s %s)", sms.reference, type(error).__name__, error)
        _store_refusal(sessions, sms.reference, error, now=clock())
        return Fate.REFUSED
    with sessions.begin() as session:
        outbox.mark_accepted(session, sms.reference, receipt.provider_id, now=clock())
    return Fate.TAKEN


def _store_refusal(
    sessions: Sessions,
    message_id: int,
    error: InvalidRecipient | OptedOut | Refused,
    *,
    now: datetime,
) -> None:
    with sessions.begin() as session:
        outbox.mark_failed(session, message_id, str(error))
        message = session.get_one(Message, message_id)
        if isinstance(error, OptedOut):
            outbox.note_opt_out(session, message, now=now)
        if isinstance(error, InvalidRecipient):
            outbox.note_untextable(session, message)


def _settle(sessions: Sessions, gateway: TelephonyGateway, message_id: int, clock: Clock) -> bool:
    with reading(), sessions() as session:
        message = session.scalars(
            select(Message).options(joinedload(Message.clinic)).where(Message.id == message_id)
        ).one()
        sms, asked_at, written_at = (
            outbox.as_sms(message, message.clinic),
            message.calling_at,
            message.created_at,
        )
        others = outbox.known_provider_ids(session, message)
    now = clock()
    if asked_at is None:
        return False
    try:
        # From when it was written: the carrier's clock need not be ours, nor this the first try.
        since = written_at - timedelta(days=1)
        receipt = gateway.find_sms(sms, since=since, not_these=others)
    except ProviderUnavailable:
        return False
    if receipt is None and now - asked_at < SETTLE_AFTER:
        return False
    with sessions.begin() as session:
        if receipt is not None:
            outbox.mark_accepted(session, message_id, receipt.provider_id, now=now)
        else:
            outbox.try_again(session, message_id, jitter=0.5, now=now)
    return True
