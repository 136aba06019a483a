"""Asking the carrier about a text, and keeping what it says."""

import logging
import random
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.clock import Clock
from outreach.errors import OutreachError, ProviderUnavailable
from outreach.messaging import outbox
from outreach.messaging.claiming import Claimed
from outreach.messaging.outbox import Asked
from outreach.messaging.rules import TryResult
from outreach.orm import Sessions, for_each
from outreach.telephony.gateway import (
    InvalidRecipient,
    OptedOut,
    OutboundSms,
    OutcomeUnknown,
    ProviderReceipt,
    Refused,
    TelephonyGateway,
    TooFast,
)

log = logging.getLogger(__name__)

Answer = ProviderReceipt | OutreachError


def ask(gateway: TelephonyGateway, sms: OutboundSms) -> Answer:
    """Hand one text over; return what came of it. No transaction may be open meanwhile."""
    try:
        return gateway.send_sms(sms)
    except OutreachError as error:
        return error
    except Exception as error:  # whatever it was, the request may have gone out
        log.exception("message %s: handing over failed", sms.reference)
        return OutcomeUnknown(type(error).__name__)


def keep(sessions: Sessions, answers: Sequence[tuple[Claimed, Answer]], clock: Clock) -> None:
    """Store answers in one transaction; where one breaks it, each by itself."""
    if not answers:
        return
    try:
        with sessions.begin() as session:
            _record(session, answers, now=clock())
    except Exception:
        log.exception("storing answers failed; storing them one by one")
        by_id = {text.sms.reference: (text, answer) for text, answer in answers}

        def store_one(message_id: int) -> bool:
            with sessions.begin() as session:
                _record(session, [by_id[message_id]], now=clock())
            return True

        for_each(by_id, store_one)


def _record(session: Session, answers: Sequence[tuple[Claimed, Answer]], *, now: datetime) -> None:
    """Store what the carrier said about some texts. Does not commit."""
    tries = [(text.asked, _result(answer), _detail(answer)) for text, answer in answers]
    outbox.note_tries(session, tries, now=now)
    receipts = [
        (text.asked, answer.provider_id)
        for text, answer in answers
        if isinstance(answer, ProviderReceipt)
    ]
    if receipts:
        outbox.mark_accepted(session, receipts, now=now)
    for text, answer in answers:
        if isinstance(answer, OutreachError):
            _record_trouble(session, text.asked, answer, now=now)


def _record_trouble(session: Session, asked: Asked, error: OutreachError, *, now: datetime) -> None:
    if isinstance(error, OptedOut | InvalidRecipient | Refused):
        outbox.mark_failed(session, asked, str(error))
        outbox.note_refusal(session, asked.message_id, error, now=now)
    elif isinstance(error, ProviderUnavailable) and not isinstance(error, OutcomeUnknown):
        jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
        wait_for = error.retry_after if isinstance(error, TooFast) else None
        not_before = now + wait_for if wait_for else None
        outbox.try_again(session, asked, jitter=jitter, now=now, not_before=not_before)
    else:
        outbox.mark_unknown(session, asked)


def _result(answer: Answer) -> TryResult:
    if isinstance(answer, ProviderReceipt):
        return TryResult.TAKEN
    if isinstance(answer, OptedOut | InvalidRecipient | Refused):
        return TryResult.REFUSED
    is_sure = isinstance(answer, ProviderUnavailable) and not isinstance(answer, OutcomeUnknown)
    return TryResult.NOT_TAKEN if is_sure else TryResult.NO_ANSWER


def _detail(answer: Answer) -> str:
    return answer.provider_id if isinstance(answer, ProviderReceipt) else str(answer)
