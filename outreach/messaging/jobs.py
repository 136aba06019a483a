"""Work the scheduler and the workers start for texts, and for e-mails to staff."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from outreach.clock import Clock
from outreach.errors import ProviderUnavailable
from outreach.messaging import asking, claiming, holding, keeping_pace, letters, lost, outbox
from outreach.messaging.asking import Answer, Broken, Landed, Todo
from outreach.messaging.claiming import Claimed
from outreach.messaging.letters import Due
from outreach.messaging.rules import FRESH, SMALLEST, TryResult, size_after
from outreach.orm import Sessions, for_each, reading
from outreach.telephony.gateway import ProviderReceipt, TelephonyGateway, TooFast
from outreach.telephony.mail import LetterPutOff, LetterRefused, LetterUnknown, Mailer, Post

log = logging.getLogger(__name__)

CONNECTIONS = 8  # to the carrier at a time, from one process
AHEAD = 8  # texts at hand for each connection, so that none idles while more are claimed
RECORDED = 100  # answers stored in one transaction, or half of what is claimed at a time


def send_due_messages(
    sessions: Sessions,
    gateway: TelephonyGateway,
    clock: Clock,
    *,
    connections: int = CONNECTIONS,
    go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Send every text whose time has come; return how many the carrier took.

    Claiming, asking the carrier and storing its answers are three steps, and no transaction
    is open while it answers. One bad text never holds up the rest, and a carrier that does
    not answer is left in peace until the next round. Senders with a pace of their own are
    not among them, see :func:`send_in_turn`.

    Args:
        connections: how many texts are on their way to the carrier at a time.
        go_on: asked before more are claimed; a worker that was told to stop says no.
    """
    return _Round(sessions, gateway, clock, connections, go_on).run()


def send_in_turn(
    sessions: Sessions,
    gateway: TelephonyGateway,
    clock: Clock,
    *,
    connections: int = CONNECTIONS,
    go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Send what waits for its turn at senders with a pace; return how many the carrier took.

    Lasts as long as anything waits, and runs beside :func:`send_due_messages`.
    """
    return keeping_pace.Round(sessions, gateway, clock, connections, go_on).run()


def settle_lost_messages(sessions: Sessions, gateway: TelephonyGateway, clock: Clock) -> int:
    """Look up texts of which we don't know whether they went out; return how many are settled.

    Found at the carrier: accepted. Not found, long enough after asking: sent again where it
    is still of use, else given up as lost, for people to see.
    """
    with reading(), sessions() as session:
        message_ids = lost.lost_ids(session, now=clock())
    return for_each(message_ids, lambda each: _settle(sessions, gateway, each, clock))


def forget_unrecorded(sessions: Sessions, clock: Clock) -> int:
    """Delete texts of the carrier's list that nothing is matched with any more; say how many."""
    with sessions.begin() as session:
        return holding.forget_unrecorded(session, now=clock())


class _Round:
    """One run of sending: claims, keeps the connections busy, and stores what comes back."""

    def __init__(
        self,
        sessions: Sessions,
        gateway: TelephonyGateway,
        clock: Clock,
        connections: int,
        go_on: Callable[[], bool],
    ) -> None:
        self._sessions, self._gateway, self._clock = sessions, gateway, clock
        self._connections, self._go_on = connections, go_on
        self._waiting: deque[Claimed] = deque()
        self._size = SMALLEST
        self._claimed_at: datetime | None = None
        self._has_more = True
        self._wait_for: timedelta | None = None
        self._is_in_trouble = False
        self._taken = 0

    def run(self) -> int:
        self._claim()
        self._probe()
        if self._waiting or self._has_more:
            with asking.connections(self._connections, self._ask_fresh, self._stop) as (
                todo,
                landed,
            ):
                self._keep_busy(todo, landed)
        return self._taken

    def _stop(self) -> None:
        self._is_in_trouble = True

    def _probe(self) -> None:
        """Send one text alone: if nobody answers, that is known at the price of one."""
        while self._waiting and not self._is_in_trouble:
            first = self._next()
            if first is not None:
                self._store([(first, self._ask(first))])
                break
        if self._is_in_trouble:
            self._give_back()

    def _keep_busy(self, todo: Todo, landed: Landed) -> None:
        flying = 0
        done: list[tuple[Claimed, Answer]] = []
        while True:
            if self._is_in_trouble and landed.empty():  # several come back at once
                self._give_back()
            flying += self._fill(todo, self._connections * AHEAD - flying)
            if flying:
                flying -= 1
                self._take(*landed.get(), done)
            is_all = not self._waiting and landed.empty()
            if is_all or len(done) >= max(RECORDED, self._size // 2):
                self._store(done)
                done = []
            if not flying and not self._waiting and not self._has_more:
                return

    def _take(
        self, text: Claimed, answer: Answer | Broken | None, done: list[tuple[Claimed, Answer]]
    ) -> None:
        if isinstance(answer, Broken):
            raise answer.by
        if answer is None:
            self._waiting.appendleft(text)
        else:
            done.append((text, answer))

    def _fill(self, todo: Todo, free: int) -> int:
        """Keep every connection busy; say how many more texts they have at hand.

        Args:
            free: how many more may be at hand.
        """
        if self._is_in_trouble:
            return 0
        if len(self._waiting) < self._connections:
            self._claim()
        begun = 0
        while self._waiting and begun < free:
            text = self._next()
            if text is not None:
                todo.put(text)
                begun += 1
        return begun

    def _claim(self) -> None:
        if not self._has_more:
            return
        with reading(), self._sessions() as session:  # mostly there is nothing to write
            is_any_due = claiming.is_any_due(session, now=self._clock())
        if not is_any_due or not self._go_on():
            self._has_more = False
            return
        self._size = size_after(self._size, self._claimed_at, now=self._clock())
        self._claimed_at = self._clock()
        with self._sessions.begin() as session:
            claim = claiming.claim(session, now=self._clock(), limit=self._size)
        self._waiting.extend(claim.texts)
        self._has_more = claim.has_more

    def _next(self) -> Claimed | None:
        """Return the next text to hand over; one that waited too long is judged again later."""
        text = self._waiting.popleft()
        if self._is_fresh(text):
            return text
        with self._sessions.begin() as session:
            outbox.put_back(session, text.asked)
        self._has_more = True
        return None

    def _is_fresh(self, text: Claimed) -> bool:
        return self._clock() - text.asked.at < FRESH

    def _ask_fresh(self, text: Claimed) -> Answer | None:
        return None if self._is_in_trouble or not self._is_fresh(text) else self._ask(text)

    def _ask(self, text: Claimed) -> Answer:
        """Ask the carrier. Runs in a thread of its own, and touches nothing but one flag."""
        answer = asking.ask(self._gateway, text.sms)
        if isinstance(answer, ProviderUnavailable):
            self._is_in_trouble = True  # at once: nothing at hand is asked any more
        return answer

    def _give_back(self) -> None:
        """Put back what was claimed and not asked; the next round begins with one again."""
        self._has_more = False
        if not self._waiting:
            return
        until = self._clock() + self._wait_for if self._wait_for else None
        with self._sessions.begin() as session:
            for text in self._waiting:
                outbox.put_back(session, text.asked, not_before=until)
        self._waiting.clear()

    def _store(self, answers: list[tuple[Claimed, Answer]]) -> None:
        for text, answer in answers:
            self._note(text, answer)
        asking.keep(self._sessions, answers, self._clock)

    def _note(self, text: Claimed, answer: Answer) -> None:
        if isinstance(answer, ProviderReceipt):
            self._taken += 1
            return
        log.warning("message %s: %s (%s)", text.sms.reference, type(answer).__name__, answer)
        if isinstance(answer, ProviderUnavailable):
            self._is_in_trouble = True
        if isinstance(answer, TooFast):
            self._wait_for = answer.retry_after


def _settle(sessions: Sessions, gateway: TelephonyGateway, message_id: int, clock: Clock) -> bool:
    with reading(), sessions() as session:
        text = lost.one(session, message_id, now=clock())
    if text is None:
        return False
    try:
        # From when it was written: the carrier's clock need not be ours, nor this the first try.
        since = text.written_at - timedelta(days=1)
        receipt = gateway.find_sms(text.sms, since=since, not_these=text.known_ids)
        is_silent = False
    except ProviderUnavailable:
        receipt, is_silent = None, True
    now = clock()
    # A list that does not answer says nothing: until it does, nothing goes out again.
    if receipt is None and (now < text.settles_at or (is_silent and not text.is_past_use)):
        return False
    with sessions.begin() as session:
        if not is_silent:
            result = TryResult.NOT_FOUND if receipt is None else TryResult.FOUND
            outbox.note_tries(session, [(text.asked, result, "")], now=now)
        if receipt is not None:
            outbox.mark_accepted(session, [(text.asked, receipt.provider_id)], now=now)
        elif text.is_past_use:
            outbox.mark_lost(session, text.asked)
        else:
            outbox.try_again(session, text.asked, jitter=0.5, now=now)
    return True


def hand_over_letters(
    sessions: Sessions,
    mailer: Mailer,
    clock: Clock,
    due: Callable[[Session, datetime], Sequence[Due]],
) -> int:
    """E-mail what is ``due`` to staff; return how many letters the server took.

    What the server does not take for now has no row afterwards: the next tick tries again.
    """
    with reading(), sessions() as session:
        found = due(session, clock())
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


def _mail(sessions: Sessions, post: Post, due: Due, clock: Clock) -> bool:
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
