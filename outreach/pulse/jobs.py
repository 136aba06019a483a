"""Work the scheduler starts for the monthly question and for who asks for support."""

from datetime import UTC, datetime, time

from sqlalchemy.orm import Session

from outreach.clock import Clock
from outreach.messaging import outbox
from outreach.messaging.jobs import hand_over_letters
from outreach.messaging.letters import Due
from outreach.orm import Sessions, reading
from outreach.pulse import alerting, asking, supporting, work_life
from outreach.pulse.rules import MONTHS_KEPT, month_of, months_before, quarter_of
from outreach.telephony.mail import Mailer


def forget_answers(sessions: Sessions, clock: Clock) -> int:
    """Delete answers from longer ago than is kept, and requests as old; return how many."""
    first = months_before(month_of(clock().date()), MONTHS_KEPT)[-1]
    with sessions.begin() as session:
        requests = supporting.forget(session, before=datetime.combine(first, time(), tzinfo=UTC))
        quarters = work_life.forget(session, before=quarter_of(first))
        return requests + quarters + asking.forget(session, before=first)


def write_support_texts(sessions: Sessions, clock: Clock) -> int:
    """Write the texts that tell who hears it that a caller asks for support; return how many."""
    now = clock()
    with reading(), sessions() as session:
        found = alerting.texts(session, now=now)
    if not found:
        return 0
    with sessions.begin() as session:
        return outbox.write(session, found)


def mail_support(
    sessions: Sessions, mailer: Mailer, clock: Clock, public_url: str | None = None
) -> int:
    """E-mail who hears it that a caller asks for support; return how many letters were taken."""

    def due(session: Session, now: datetime) -> list[Due]:
        return alerting.mail(session, now=now, public_url=public_url)

    return hand_over_letters(sessions, mailer, clock, due)
