"""What a file may hold, and how far it is. Pure."""

import enum
from datetime import timedelta


class Content(enum.StrEnum):
    """What a file is made of."""

    PATIENTS = "patients"
    CALLS = "calls"
    ADHERENCE = "adherence"
    RESEARCH = "research"


class Format(enum.StrEnum):
    """What a file is, by the ending of its name."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"
    ZIP = "zip"


class Progress(enum.StrEnum):
    """How far a file is. Only READY is offered."""

    WAITING = "waiting"
    WRITING = "writing"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


FORMATS = {
    Content.PATIENTS: (Format.CSV, Format.XLSX),
    Content.CALLS: (Format.CSV, Format.XLSX),
    Content.ADHERENCE: (Format.CSV, Format.XLSX, Format.PDF),
    Content.RESEARCH: (Format.ZIP,),
}

LEASE = timedelta(minutes=2)
MOST_TRIES = 3
