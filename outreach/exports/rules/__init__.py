"""What a file may hold, who may have it, and how far it is. Pure."""

import enum
import re
from collections.abc import Collection
from datetime import timedelta

from outreach.accounts.rules import Role

LEASE = timedelta(minutes=2)
MOST_TRIES = 3
MOST_UNDER_WAY = 5  # of one person


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


class Trouble(enum.StrEnum):
    """Why a file was not written."""

    NOT_ALLOWED = "not allowed"
    SEARCH_IS_OVER = "search is over"
    TOO_FEW = "too few patients"
    GAVE_UP = "gave up"


FORMATS = {
    Content.PATIENTS: (Format.CSV, Format.XLSX),
    Content.CALLS: (Format.CSV, Format.XLSX),
    Content.ADHERENCE: (Format.CSV, Format.XLSX, Format.PDF),
    Content.RESEARCH: (Format.ZIP,),
}
_MANAGING = frozenset({Role.MANAGER, Role.ADMINISTRATOR})
# Who may take a file of it away.
TAKERS = {
    Content.PATIENTS: _MANAGING,
    Content.CALLS: _MANAGING,
    Content.ADHERENCE: _MANAGING,
    Content.RESEARCH: frozenset({Role.ADMINISTRATOR}),
}


def may_take(roles: Collection[Role], content: Content) -> bool:
    """Say whether somebody with ``roles`` may take ``content`` away as a file."""
    return bool(TAKERS[content].intersection(roles))


def download_name(content: Content, about: str, ending: Format) -> str:
    """Return the name of a file at its reader's: letters, digits and dashes only."""
    parts = [re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in (content.value, about)]
    return f"{'-'.join(part for part in parts if part)}.{ending.value}"
