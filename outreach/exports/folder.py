"""Where files lie until they expire: outside what is served, readable by us alone."""

import os
from pathlib import Path

from outreach.disk import to_disk


def part_path(folder: Path, name: str) -> Path:
    """Return where a file is written that is not whole yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{name}.part"


def create(path: Path) -> None:
    """Make an empty file that only we can read."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def publish(part: Path, name: str) -> int:
    """Give a whole file its name, safe on the disk; return how long it is, in bytes."""
    size = part.stat().st_size
    part.chmod(0o600)
    to_disk(part)
    part.replace(part.parent / name)
    to_disk(part.parent)
    return size


def delete(folder: Path, name: str) -> None:
    """Delete a file; it is no trouble where it is gone already."""
    (folder / name).unlink(missing_ok=True)
