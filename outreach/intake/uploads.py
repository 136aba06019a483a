"""Files between their check and their import: kept for an hour, encrypted, for one person.

What is older is not there any more, whether it was swept already or not.
"""

import contextlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from outreach import sealed_files, sealing
from outreach.encryption import CannotDecrypt
from outreach.errors import NotFound
from outreach.intake.files import Source
from outreach.intake.rules import FileKind, Report

KEPT_FOR = timedelta(hours=1)
# How many of one person wait at most: the next one takes the place of their oldest.
MOST_WAITING = 10

_TOKEN = re.compile(r"[0-9a-f]{32}")
_ABOUT = "about.json"
_PLACE = "upload"
_GONE = "This file is no longer here. Choose it again."


@dataclass(frozen=True)
class Kept(Source):
    """A file as it lies here: encrypted."""

    @property
    def size(self) -> int:
        """Its length in bytes, as it was."""
        return sealed_files.size_of(self.path)

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open it, to be read as it was."""
        return sealed_files.reading(self.path, sealing.cipher(), place=_PLACE)


class NoSuchUpload(NotFound):
    """It was brought in, thrown away or never there, or is somebody else's."""


@dataclass(frozen=True)
class Upload:
    """Files of one person for one clinic, and what their check said."""

    folder: Path
    clinic_code: str
    names: tuple[str, ...]
    kind: FileKind
    report: Report

    @property
    def sources(self) -> list[Kept]:
        """The files, to be read again."""
        return _sources(self.folder, self.names)


def keep(
    root: Path, staff_id: int, files: Sequence[tuple[str, BinaryIO]], *, now: datetime
) -> tuple[str, list[Kept]]:
    """Store files under a new token; return it and where they are.

    Health records: encrypted, and the folders are for the owner of the process only.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_room(root, staff_id)
    token = secrets.token_hex(16)
    folder = _folder(root, staff_id, token)
    folder.mkdir(mode=0o700)
    for place, (_name, stream) in enumerate(files):
        _write(folder / str(place), stream)
    os.utime(folder, (now.timestamp(), now.timestamp()))
    return token, _sources(folder, [name for name, _stream in files])


def describe(
    sources: Sequence[Source], clinic_code: str, kind: FileKind, report: Report, *, now: datetime
) -> None:
    """Store what the check of an upload said beside its files."""
    folder = sources[0].path.parent
    about = {
        "clinic": clinic_code,
        "names": [source.name for source in sources],
        "kind": kind.value,
        "counts": report.counts,
        "remarks": report.remarks,
    }
    _write(folder / _ABOUT, io.BytesIO(json.dumps(about).encode()))
    os.utime(folder, (now.timestamp(), now.timestamp()))


def find(root: Path, staff_id: int, token: str, *, now: datetime) -> Upload:
    """Return the upload that ``token`` names for this person; one that is too old goes.

    Raises:
        NoSuchUpload: there is none, or not for them.
    """
    about_path = _folder(root, staff_id, token) / _ABOUT
    is_there = _TOKEN.fullmatch(token) is not None and about_path.is_file()
    if is_there and _is_old(about_path.parent, now):
        discard(root, staff_id, token)
        is_there = False
    if not is_there:
        raise NoSuchUpload(_GONE)
    about = json.loads(_told(about_path))
    return Upload(
        about_path.parent,
        about["clinic"],
        tuple(about["names"]),
        FileKind(about["kind"]),
        Report.from_data(about["counts"], about["remarks"]),
    )


def discard(root: Path, staff_id: int, token: str) -> None:
    """Delete an upload; one that is gone already is no trouble."""
    if _TOKEN.fullmatch(token):
        shutil.rmtree(_folder(root, staff_id, token), ignore_errors=True)


def sweep(root: Path, *, now: datetime) -> int:
    """Delete every upload that is too old; return how many."""
    gone = 0
    for folder in root.iterdir() if root.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # thrown away by its owner meanwhile
            if _is_old(folder, now):
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
    return gone


def _make_room(root: Path, staff_id: int) -> None:
    """Throw away somebody's oldest uploads: nobody fills the disk within the hour."""
    own = []
    for folder in root.glob(f"{staff_id}-*"):
        with contextlib.suppress(FileNotFoundError):  # swept meanwhile
            own.append((folder.stat().st_mtime, folder))
    for _at, folder in sorted(own, reverse=True)[MOST_WAITING - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _folder(root: Path, staff_id: int, token: str) -> Path:
    return root / f"{staff_id}-{token}"


def _sources(folder: Path, names: Sequence[str]) -> list[Kept]:
    return [Kept(folder / str(place), name) for place, name in enumerate(names)]


def _write(path: Path, plain: BinaryIO) -> None:
    """Write a new file, encrypted, for the owner of the process only."""
    private = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(private, "wb") as target:
        sealed_files.seal(plain, target, sealing.cipher(), place=_PLACE)


def _told(about_path: Path) -> bytes:
    try:
        with sealed_files.reading(about_path, sealing.cipher(), place=_PLACE) as about:
            return about.read()
    except CannotDecrypt as error:  # its key was retired within the hour
        raise NoSuchUpload(_GONE) from error


def _is_old(folder: Path, now: datetime) -> bool:
    return folder.stat().st_mtime < (now - KEPT_FOR).timestamp()
