"""Where tests keep their files: in memory, where the machine has a folder for that.

A test makes a database and throws it away; on a disk it would wait for the disk to write it.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - as Linux names it
ENOUGH_BYTES = 4 * 2**30


def settle() -> None:
    """Let this process and those it starts keep their temporary files in memory, if they can."""
    if "TMPDIR" not in os.environ and _is_fit(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # so that it is looked for again


def holds(folder: Path) -> bool:
    """Say whether what is in ``folder`` is on no disk."""
    return folder.is_relative_to(MEMORY)


def _is_fit(folder: Path) -> bool:
    if not os.access(folder, os.W_OK) or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(folder).free >= ENOUGH_BYTES
