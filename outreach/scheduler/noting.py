"""Jobs that note how each run of theirs ended: a line of the log is no figure.

A run ended well that returned and passed over no row that failed. It is noted in the database,
since monitors ask the web, which is another process.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from outreach.clock import Clock
from outreach.orm import Sessions, failing_rows
from outreach.scheduler.schedule import PeriodicJob
from outreach.upkeep import job_ends

log = logging.getLogger(__name__)

# Jobs that come every two seconds would write to the disk as often.
WELL_EVERY = timedelta(seconds=30)


def noted(jobs: Sequence[PeriodicJob], sessions: Sessions, clock: Clock) -> tuple[PeriodicJob, ...]:
    """Return ``jobs`` that do the same and note how it went."""
    notes = _Notes(jobs, sessions, clock)
    return tuple(replace(job, run=notes.taken_of(job)) for job in jobs)


class _Notes:
    def __init__(self, jobs: Sequence[PeriodicJob], sessions: Sessions, clock: Clock) -> None:
        self._seconds = {job.name: math.ceil(job.every_seconds) for job in jobs}
        self._sessions, self._clock = sessions, clock
        self._are_known = False
        self._well_at: dict[str, datetime] = {}

    def taken_of(self, job: PeriodicJob) -> Callable[[], int]:
        """Return what runs ``job`` and notes how it went."""

        def run() -> int:
            with failing_rows() as failed:
                try:
                    done = job.run()
                except Exception:
                    self._note(job.name, is_well=False)
                    raise
            self._note(job.name, is_well=not failed)
            return done

        return run

    def _note(self, name: str, *, is_well: bool) -> None:
        """Note how it went; where that fails the job is left as it is, and its figure grows old."""
        now = self._clock()
        if is_well and self._was_just_well(name, now):
            return
        try:
            with self._sessions.begin() as session:
                if not self._are_known:  # by the first that ends: only a leader's jobs do
                    job_ends.know(session, self._seconds, now=now)
                job_ends.note(session, name, self._seconds[name], is_well=is_well, now=now)
        except Exception:
            log.exception("how it went with %s could not be noted", name)
            return
        self._are_known = True
        if is_well:
            self._well_at[name] = now

    def _was_just_well(self, name: str, now: datetime) -> bool:
        last = self._well_at.get(name)
        return last is not None and abs(now - last) < WELL_EVERY
