"""What has to be on the disk, and not only on its way there, when we say that it is."""

import os
from pathlib import Path


def to_disk(path: Path) -> None:
    """Wait until a file, or which files a folder names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
