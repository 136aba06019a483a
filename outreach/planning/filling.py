"""Filling the gaps in the plan: pages of enrolments that lack a call, a transaction each.

A night's work never holds up a caller's save, and a process killed half-way leaves whole pages.
Where the database lets two write at once, one page is read and decided while another is
written: a server of a database works on each with a core of its own.
"""

import logging
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from threading import Lock

from sqlalchemy import Dialect
from sqlalchemy.orm import Session

from outreach.orm import Sessions, for_each, reading, recount
from outreach.planning import courses, interruption, next_call
from outreach.planning.missing import Planner
from outreach.planning.models import PlannedCall

log = logging.getLogger(__name__)

# A page is a fraction of a second of work on SQLite, where nobody else can write meanwhile.
PAGE = 10_000
AT_ONCE = 2  # one reads and decides, one writes


class Gaps:
    """The enrolments without a call at ``now``, from ``after_id`` on, filled page by page."""

    def __init__(
        self,
        sessions: Sessions,
        dialect: Dialect,
        after_id: int,
        away_id: int | None,
        now: datetime,
    ) -> None:
        self._sessions, self._now, self._away_id = sessions, now, away_id
        self._planner = Planner(dialect, now)
        self._after_id: int | None = after_id
        self._turn = Lock()  # to decide: of what it worked out, the planner remembers one copy
        self._planned, self._recounts_at = 0, PAGE
        self._at_once = 1 if dialect.name == "sqlite" else AT_ONCE

    def fill(self) -> int:
        """Plan a call for each; return how many."""
        if self._at_once == 1:
            self._fill()
        else:
            with ThreadPoolExecutor(self._at_once, "planner") as pool:
                for done in [self._begin(pool) for _worker in range(self._at_once)]:
                    done.result()
        return self._planned

    def _begin(self, pool: Executor) -> Future[None]:
        """Fill in a thread of its own, whose failing rows are told as those of this one."""
        return pool.submit(copy_context().run, self._fill)

    def _fill(self) -> None:
        while self._after_id is not None:
            self._note(self._fill_page())

    def _fill_page(self) -> int:
        """Plan for the next page, if any is left; where a row breaks it, for each by itself."""
        after_id = None
        try:
            with self._sessions.begin() as session:
                with self._turn:
                    after_id = self._after_id
                    if after_id is None:
                        return 0
                    page = self._planner.decide(session, after_id=after_id, limit=PAGE)
                    self._after_id = page.next_after_id
                return self._counted(session, self._planner.write(session, page.calls))
        except Exception:
            if after_id is None:
                raise
            log.exception("planning a page failed; planning one by one")
        return self._fill_one_by_one(after_id)

    def _fill_one_by_one(self, after_id: int) -> int:
        """Plan for each of a page by itself: of those that another worker planned, nothing new."""
        with self._turn, reading(), self._sessions() as session:
            ids = courses.unplanned_ids(session, after_id=after_id, limit=PAGE)
            if self._after_id == after_id:
                self._after_id = ids[-1] if len(ids) == PAGE else None
        return for_each(ids, self._fill_one)

    def _fill_one(self, enrolment_id: int) -> int:
        with self._sessions.begin() as session:
            return self._counted(session, next_call.plan(session, [enrolment_id], now=self._now))

    def _counted(self, session: Session, planned: int) -> int:
        if self._away_id is not None and planned:
            interruption.count_planned(session, self._away_id, planned)
        return planned

    def _note(self, planned: int) -> None:
        with self._turn:
            self._planned += planned
            if self._planned < self._recounts_at:
                return
            self._recounts_at = 4 * self._planned
        recount(self._sessions, PlannedCall)
