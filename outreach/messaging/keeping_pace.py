"""Handing over texts that have a turn: each at its turn, or soon after, or not at all."""

import heapq
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import Empty

from outreach.clock import Clock
from outreach.errors import ProviderUnavailable
from outreach.messaging import asking, outbox, paced, pacing
from outreach.messaging.asking import Answer, Broken, Landed, Landing, Todo
from outreach.messaging.claiming import Claimed
from outreach.messaging.rules import LARGEST
from outreach.messaging.rules.pace import LATE, look_again_at
from outreach.orm import Sessions, reading
from outreach.telephony.gateway import ProviderReceipt, TelephonyGateway, TooFast

log = logging.getLogger(__name__)

# So often it is looked whether more texts came due, and no more often than that.
LOOKS_EVERY, LOOKS_AT_MOST_EVERY = timedelta(seconds=1), timedelta(milliseconds=100)


def wait_for_landing(landed: Landed, _flying: int, up_to: timedelta) -> Landing | None:
    """Return what comes back next from the carrier, None where nothing did for so long."""
    try:
        return landed.get(timeout=up_to.total_seconds())
    except Empty:
        return None


class Round:
    """One run of sending in turn: it ends when nothing waits, or the carrier is in trouble.

    It begins with one text: if nobody answers, that is known at the price of one.
    """

    def __init__(
        self,
        sessions: Sessions,
        gateway: TelephonyGateway,
        clock: Clock,
        connections: int,
        go_on: Callable[[], bool],
        wait: Callable[[Landed, int, timedelta], Landing | None] = wait_for_landing,
    ) -> None:
        self._sessions, self._gateway, self._clock = sessions, gateway, clock
        self._connections, self._go_on, self._wait = connections, go_on, wait
        self._line: list[tuple[datetime, int, Claimed]] = []  # a heap: the next turn first
        self._flying = 0
        self._done: list[tuple[Claimed, Answer]] = []
        self._size = 1
        self._look_at = clock()
        self._has_more = True
        self._is_in_trouble = False
        self._wait_for: timedelta | None = None
        self._taken = 0

    def run(self) -> int:
        """Send until nothing waits; return how many texts the carrier took."""
        self._look()
        if not self._line:
            return 0
        with asking.connections(self._connections, self._ask, self._stop) as (todo, landed):
            self._keep_pace(todo, landed)
        return self._taken

    def _stop(self) -> None:
        self._is_in_trouble = True

    def _keep_pace(self, todo: Todo, landed: Landed) -> None:
        while self._line or self._flying or self._has_more:
            if self._is_in_trouble:
                self._give_back()
            self._begin(todo)
            landing = self._wait(landed, self._flying, self._until_next())
            while landing is not None:
                self._take(*landing)
                landing = None if landed.empty() else landed.get()
            self._store()
            if self._has_more and self._clock() >= self._look_at:
                self._look()

    def _look(self) -> None:
        """Take texts of every sender that has turns to give, and say when to look again."""
        now = self._clock()
        if not self._go_on() or (self._size == 1 and (self._line or self._flying)):
            self._has_more = self._size == 1 and self._go_on()
            self._look_at = now + LOOKS_AT_MOST_EVERY
            return
        with reading(), self._sessions() as session:
            waiting = pacing.waiting(session, now=now)
        self._has_more = False
        looks = [now + LOOKS_EVERY]
        for each in waiting:
            at = look_again_at(each.last_turn_at, now=now)
            if at > now:
                self._has_more = True
                looks.append(at)
            elif self._claim(each.sender):
                looks.append(now)
        self._look_at = max(min(looks), now + LOOKS_AT_MOST_EVERY)

    def _claim(self, sender: str) -> bool:
        """Take texts of one sender; say whether there may be more."""
        with self._sessions.begin() as session:
            session.connection()  # on SQLite a writer may wait until it can begin
            claim = paced.claim(session, sender, now=self._clock(), limit=self._size)
        for text in claim.texts:
            heapq.heappush(self._line, (text.turn_at or text.asked.at, text.sms.reference, text))
        self._has_more = self._has_more or claim.has_more
        return claim.has_more

    def _begin(self, todo: Todo) -> None:
        """Give the connections every text whose turn has come."""
        while self._line and self._line[0][0] <= self._clock():
            todo.put(heapq.heappop(self._line)[2])
            self._flying += 1

    def _until_next(self) -> timedelta:
        """Return how long nothing is to be done, unless a text comes back."""
        next_at = [self._look_at] if self._has_more else []
        next_at += [turn_at for turn_at, *_text in self._line[:1]]
        earliest = min(next_at, default=self._clock() + LOOKS_EVERY)
        return max(earliest - self._clock(), timedelta())

    def _ask(self, text: Claimed) -> Answer | None:
        """Hand one text over while it has its turn."""
        is_late = text.turn_at is not None and self._clock() > text.turn_at + LATE
        if is_late or self._is_in_trouble:
            return None
        answer = asking.ask(self._gateway, text.sms)
        if isinstance(answer, ProviderUnavailable):
            self._is_in_trouble = True  # at once: nothing at hand is asked any more
        return answer

    def _take(self, text: Claimed, answer: Answer | Broken | None) -> None:
        self._flying -= 1
        if isinstance(answer, Broken):
            raise answer.by
        if answer is None:  # too few connections for so many, or in trouble
            self._size = max(self._size // 2, 1)
            self._put_back([text])
        else:
            self._note(text, answer)
            self._done.append((text, answer))

    def _note(self, text: Claimed, answer: Answer) -> None:
        if not isinstance(answer, ProviderUnavailable):  # whatever it said, it answers
            self._size = min(self._size * 2, LARGEST)
        if isinstance(answer, ProviderReceipt):
            self._taken += 1
            return
        log.warning("message %s: %s (%s)", text.sms.reference, type(answer).__name__, answer)
        if isinstance(answer, TooFast):
            self._wait_for = answer.retry_after

    def _store(self) -> None:
        asking.keep(self._sessions, self._done, self._clock)
        self._done = []

    def _give_back(self) -> None:
        """Put back all that was not handed over; the next round begins with one again."""
        self._has_more = False
        self._put_back([text for _turn_at, _id, text in self._line])
        self._line = []

    def _put_back(self, texts: list[Claimed]) -> None:
        if not texts:
            return
        until = self._clock() + self._wait_for if self._wait_for else None
        with self._sessions.begin() as session:
            for text in texts:
                outbox.put_back(session, text.asked, not_before=until)
