"""Work the scheduler starts for imports."""

from pathlib import Path

from outreach.clock import Clock
from outreach.intake import uploads


def sweep_uploads(folder: Path, clock: Clock) -> int:
    """Delete files that were uploaded and not imported within the hour; return how many uploads."""
    return uploads.sweep(folder, now=clock())
