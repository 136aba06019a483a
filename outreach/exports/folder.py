"""Where files lie until they expire: outside what is served, readable by us alone, encrypted.

Only while one is written does it lie as it is, under a name of its own.
"""

import os
from collections.abc import Generator
from pathlib import Path

from outreach import sealed_files, sealing
from outreach.disk import to_disk

_PLACE = "export.file"


def part_path(folder: Path, name: str) -> Path:
    """Return where a file is written that is not whole yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{name}.part"


def create(path: Path) -> None:
    """Make an empty file that only we can read."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def publish(part: Path, name: str) -> int:
    """Encrypt a whole file under its name, safe on the disk; return how long it was, in bytes."""
    sealed = _sealed(part)
    create(sealed)
    with part.open("rb") as plain, sealed.open("wb") as written:
        size = sealed_files.seal(plain, written, sealing.cipher(), place=_PLACE)
    part.unlink()
    to_disk(sealed)
    sealed.replace(part.parent / name)
    to_disk(part.parent)
    return size


def clear(part: Path) -> None:
    """Leave nothing of a file that is not whole: on a full disk it would take the room it lacks."""
    for half in (part, _sealed(part)):
        half.unlink(missing_ok=True)


def _sealed(part: Path) -> Path:
    return part.with_suffix(".sealed")


def read(path: Path) -> Generator[bytes]:
    """Yield what a file holds, piece by piece.

    Raises:
        CannotDecrypt: its key was retired since, or it was changed.
    """
    with path.open("rb") as sealed:
        yield from sealed_files.opened(sealed, sealing.cipher(), place=_PLACE)


def delete(folder: Path, name: str) -> None:
    """Delete a file; it is no trouble where it is gone already."""
    (folder / name).unlink(missing_ok=True)
