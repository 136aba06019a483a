"""Work the scheduler starts for what lies in the database."""

from outreach import sealing
from outreach.orm import Sessions
from outreach.upkeep import rotating


def seal_staff_numbers(sessions: Sessions) -> int:
    """Encrypt telephones of the staff that are in clear, of before 0065; return how many."""
    return rotating.seal(sessions, sealing.cipher()).count
