"""The chain over the audit trail: what is hashed, and in which form. No database."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

BEGINNING = "0" * 64  # what the first link follows


@dataclass(frozen=True)
class Entry:
    """One event of the trail, whole."""

    id: int
    at: datetime
    actor_id: int | None
    clinic_id: int | None
    patient_id: int | None
    action: str
    object_kind: str
    object_id: int | None


def digest(before: str, entry: Entry) -> str:
    """Return the SHA-256, in hexadecimal digits, of an entry and of the link before it.

    Whoever changes, removes or moves an entry changes every digest after it.
    """
    fields = [
        before,
        entry.id,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.clinic_id,
        entry.patient_id,
        entry.action,
        entry.object_kind,
        entry.object_id,
    ]
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
