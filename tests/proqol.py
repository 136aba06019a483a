"""The permission for the ProQOL, in words of our own: its items are its owner's."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from outreach.questionnaires import licences
from outreach.questionnaires.licences import Permission
from outreach.questionnaires.rules import INSTRUMENTS, InstrumentCode

PERMISSION = Permission(
    "The owner",
    date(2026, 11, 2),
    "You may use it.",
    "Think of the last 30 days.",
    tuple(f"Statement {number}" for number in range(1, 31)),
    ("Never", "Rarely", "Sometimes", "Often", "Very often"),
)


def permit_proqol(session: Session, *, by_staff_id: int, now: datetime) -> None:
    """State that callers may answer it about themselves."""
    proqol = INSTRUMENTS[InstrumentCode.PROQOL]
    licences.state(session, proqol, PERMISSION, by_staff_id=by_staff_id, now=now)
