"""Work the scheduler starts for what lies in the database."""

from outreach import sealing
from outreach.exports import making
from outreach.orm import Sessions
from outreach.upkeep import forgetting, rotating


def seal_what_is_in_clear(sessions: Sessions) -> int:
    """Encrypt what of the staff and clinics is in clear, of before 0067; return how many.

    What was typed of files that are finished is forgotten, and so is what told names before 0070.
    """
    sealed = rotating.seal(sessions, sealing.cipher()).count
    return sealed + making.forget_typed(sessions) + forgetting.forget(sessions)
