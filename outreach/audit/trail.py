"""Writing to the audit trail."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from outreach.audit.models import AuditEvent

# Built once; past what a session does for objects, as each page of a patient writes one.
_ONE = insert(AuditEvent)


def record(
    session: Session,
    action: str,
    *,
    actor_id: int | None,
    now: datetime,
    clinic_id: int | None = None,
    patient_id: int | None = None,
    about: tuple[str, int | None] = ("", None),
) -> None:
    """Note that ``actor_id`` (None: the system) did ``action`` to ``about`` (kind, id).

    Does not commit: the note stands or falls with what it notes.
    """
    row = {
        "at": now,
        "actor_id": actor_id,
        "clinic_id": clinic_id,
        "patient_id": patient_id,
        "action": action,
        "object_kind": about[0],
        "object_id": about[1],
    }
    session.connection().execute(_ONE, row)


def record_all(
    session: Session,
    done: Sequence[tuple[str, int | None]],
    *,
    actor_id: int | None,
    now: datetime,
    clinic_id: int | None = None,
    about: tuple[str, int | None] = ("", None),
) -> None:
    """Note several at once, in one statement: each an action and its patient. Does not commit."""
    rows = [
        {
            "at": now,
            "actor_id": actor_id,
            "clinic_id": clinic_id,
            "patient_id": patient_id,
            "action": action,
            "object_kind": about[0],
            "object_id": about[1],
        }
        for action, patient_id in done
    ]
    session.execute(insert(AuditEvent).values(rows))
