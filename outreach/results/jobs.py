"""Work the scheduler starts for measurements."""

from outreach.clock import Clock
from outreach.messaging import outbox
from outreach.messaging.rules import SkipReason
from outreach.orm import Sessions, reading
from outreach.results import reminders


def write_measure_reminders(sessions: Sessions, clock: Clock) -> int:
    """Write the texts that it is time to measure something; return how many are new.

    Before that, those are dropped that wait although everything was measured meanwhile.
    """
    now, count, after_id = clock(), 0, 0
    with reading(), sessions() as session:
        settled = reminders.no_longer_due(session, now=now)
    if settled:
        with sessions.begin() as session:
            for cause in settled:
                outbox.cancel(session, cause, now=now, reason=SkipReason.MEASURED)
    while True:
        with reading(), sessions() as session:
            batch = reminders.due(session, now=now, after_id=after_id)
        if batch.texts:
            with sessions.begin() as session:
                count += outbox.write(session, batch.texts)
        if batch.last_id is None:
            return count
        after_id = batch.last_id
