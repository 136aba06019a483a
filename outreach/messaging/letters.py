"""E-mails to staff: a row first, then handed over. Each once.

Unlike texts, nobody can be asked afterwards whether a letter went out. So its row is committed
before the mail server hears of it, as one of which nobody knows; what comes of it is written
then. A process that dies meanwhile leaves a letter that shows as such, never a second one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.telephony.mail import Letter


@dataclass(frozen=True)
class Due:
    """A letter that is to be written, to whom, for which clinic; ``key`` makes it one."""

    kind: MessageKind
    staff_id: int
    clinic_id: int
    language: str
    key: str
    cause: str
    letter: Letter


def unwritten(session: Session, found: Sequence[Due]) -> list[Due]:
    """Return those of which there is no row yet."""
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
        "kind": due.kind,
        "dedupe_key": due.key,
        "cause": due.cause,
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
