"""The weekly word to managers as an e-mail, for the clinics that want it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from outreach.calls import courtesies
from outreach.messaging import letters, templates
from outreach.messaging.letters import Due
from outreach.messaging.models import OutboxHold
from outreach.messaging.rules import MessageKind
from outreach.telephony.mail import Letter

WEEK = timedelta(weeks=1)


def due(session: Session, *, now: datetime, public_url: str | None = None) -> list[Due]:
    """Return the letters whose time has come and of which there is no row yet.

    None in the week after a backup was put back: its rows may not tell of what went out.
    """
    was_restored = exists().where(OutboxHold.began_at > now - WEEK)
    if session.scalar(select(was_restored)):
        return []
    return letters.unwritten(session, list(_of_this_week(session, now=now, public_url=public_url)))


def _of_this_week(session: Session, *, now: datetime, public_url: str | None) -> Iterator[Due]:
    report = public_url + courtesies.REPORT if public_url else None
    kind = MessageKind.DIGEST_EMAIL
    for person, clinic, week in courtesies.managers_to_tell(session, kind, now=now):
        words = templates.digest(clinic.name, person.locale)
        ref = f"digest.{clinic.id}.{week}.{person.id}"
        letter = Letter(
            person.email,
            templates.digest_subject(clinic.name, person.locale),
            words + (f"\n\n{report}\n" if report else "\n"),
            ref,
            now,
        )
        key = f"digest-email:{clinic.id}:{week}:{person.id}"
        yield Due(kind, person.id, clinic.id, person.locale, key, f"digest:{week}", letter)
