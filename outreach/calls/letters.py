"""The weekly word to managers as an e-mail, for the clinics that want it. Each once.

Unlike texts, nobody can be asked afterwards whether a letter went out. So its row is committed
before the mail server hears of it, as one of which nobody knows; what comes of it is written
then. A process that dies meanwhile leaves a letter that shows as such, never a second one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from outreach.calls import courtesies
from outreach.messaging import outbox, templates
from outreach.messaging.models import Message, OutboxHold
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.telephony.mail import Letter

WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Due:
    """A letter that is to be written, to whom, for which clinic; ``key`` makes it one."""

    staff_id: int
    clinic_id: int
    language: str
    key: str
    week: str
    letter: Letter


def due(session: Session, *, now: datetime, public_url: str | None = None) -> list[Due]:
    """Return the letters whose time has come and of which there is no row yet.

    None in the week after a backup was put back: its rows may not tell of what went out.
    """
    was_restored = exists().where(OutboxHold.began_at > now - WEEK)
    if session.scalar(select(was_restored)):
        return []
    found = list(_of_this_week(session, now=now, public_url=public_url))
    keys = [each.key for each in found]
    known = set(session.scalars(select(Message.dedupe_key).where(Message.dedupe_key.in_(keys))))
    return [each for each in found if each.key not in known]


def begin(session: Session, due: Due, *, now: datetime) -> bool:
    """Write the row of a letter; False where another process has. Does not commit.

    Nothing may be handed over before it is committed.
    """
    row = {
        "clinic_id": due.clinic_id,
        "staff_id": due.staff_id,
        "kind": MessageKind.DIGEST_EMAIL,
        "dedupe_key": due.key,
        "cause": f"digest:{due.week}",
        "to_number": due.letter.to,
        "language": due.language,
        "body": due.letter.body,
        "status": MessageStatus.LOST,
        "failure": "",
        "send_after": now,
        "expires_at": now,
        "calling_at": now,
        "tries": 1,
        "created_at": now,
    }
    return outbox.write(session, [row]) == 1


def note(session: Session, key: str, *, failure: str | None, now: datetime) -> None:
    """Write what came of a letter: taken, or refused with the server's code. Does not commit."""
    values = (
        {"status": MessageStatus.ACCEPTED, "accepted_at": now}
        if failure is None
        else {"status": MessageStatus.FAILED, "failure": failure[:80]}
    )
    session.execute(
        update(Message)
        .where(Message.dedupe_key == key, Message.status == MessageStatus.LOST)
        .values(**values)
    )


def take_back(session: Session, key: str) -> None:
    """Remove the row of a letter that did not go out: it is due again. Does not commit."""
    session.execute(
        delete(Message).where(Message.dedupe_key == key, Message.status == MessageStatus.LOST)
    )


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
        yield Due(person.id, clinic.id, person.locale, key, week, letter)
