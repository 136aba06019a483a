"""Asking the carrier about texts, several at a time, and keeping what it says."""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue

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


@dataclass(frozen=True)
class Broken:
    """What ended an asking that is no answer: this process is told to end."""

    by: BaseException


Landing = tuple[Claimed, Answer | Broken | None]  # None: the carrier was not asked
Landed = SimpleQueue[Landing]
Todo = SimpleQueue[Claimed | None]


@contextmanager
def connections(
    number: int, ask_one: Callable[[Claimed], Answer | None], stop: Callable[[], None]
) -> Iterator[tuple[Todo, Landed]]:
    """Yield where so many connections to the carrier take texts from, and where answers land.

    Args:
        number: how many texts are on their way at a time, each in a thread of its own.
        ask_one: asks about one text, or does not.
        stop: called at the end, from when on nothing at hand may be asked any more.
    """
    todo: Todo = SimpleQueue()
    landed: Landed = SimpleQueue()
    with ThreadPoolExecutor(number, "carrier") as pool:
        for _each in range(number):
            pool.submit(_serve, todo, landed, ask_one)
        try:
            yield todo, landed
        finally:
            stop()
            for _each in range(number):
                todo.put(None)


def _serve(todo: Todo, landed: Landed, ask_one: Callable[[Claimed], Answer | None]) -> None:
    """Be one connection: hand one text over after another."""
    while (text := todo.get()) is not None:
        try:
            landed.put((text, ask_one(text)))
        except BaseException as error:  # noqa: BLE001 - the round ends with it, not this thread
            landed.put((text, Broken(error)))


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
