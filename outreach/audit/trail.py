"""Writing to the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

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
    whole = _whole(actor_id, clinic_id, about, now=now)
    session.connection().execute(_ONE, whole | {"action": action, "patient_id": patient_id})


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
    whole = _whole(actor_id, clinic_id, about, now=now)
    rows = [whole | {"action": action, "patient_id": patient_id} for action, patient_id in done]
    session.execute(insert(AuditEvent).values(rows))


def _whole(
    actor_id: int | None, clinic_id: int | None, about: tuple[str, int | None], *, now: datetime
) -> dict[str, Any]:
    """Return what the rows of one doing share."""
    return {
        "at": now,
        "actor_id": actor_id,
        "clinic_id": clinic_id,
        "object_kind": about[0],
        "object_id": about[1],
    }
