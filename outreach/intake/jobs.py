"""Work the scheduler starts for imports."""

from pathlib import Path

from outreach.clock import Clock
from outreach.intake import runs, uploads
from outreach.orm import Sessions


def sweep_uploads(folder: Path, clock: Clock) -> int:
    """Delete files that were uploaded and not imported within the hour; return how many uploads."""
    return uploads.sweep(folder, now=clock())


def forget_remarks(sessions: Sessions, clock: Clock) -> int:
    """Empty what old imports said about single rows; return of how many."""
    with sessions.begin() as session:
        return runs.forget_remarks(session, now=clock())
