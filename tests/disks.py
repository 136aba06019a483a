"""A disk that is really full, for a process that a test forks (``killing.apart``).

Where the system lets us, it is a small file system of its own, which only that process sees: the
kernel says ENOSPC. Elsewhere, as in a container without rights, no file may grow any further: the
kernel says EFBIG. Either ends with the process.
"""

import ctypes
import os
import resource
import shutil
from pathlib import Path
from typing import Protocol

PAGE = os.sysconf("SC_PAGESIZE")
ROOM = 64 * 1024 * 1024
# <sched.h> and <sys/mount.h>
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_RECURSIVE, _PRIVATE = 0x4000, 0x40000
_ROOT_AS_WE_ARE = (("setgroups", "deny"), ("uid_map", "0 {uid} 1"), ("gid_map", "0 {gid} 1"))


class Disk(Protocol):
    """What holds a folder. ``full_says``: what people are told of it once it is full."""

    full_says: str

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes, and no more."""

    def free(self) -> None:
        """Make room again."""


class OwnDisk:
    """A file system of ROOM bytes, and a file that takes what is left of it."""

    full_says = "There is no room left on the disk."

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes, and no more."""
        room = os.statvfs(self._ballast.parent)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - but)

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink()


class NoFileGrows:
    """Files end where a write would make them longer than so many bytes."""

    full_says = "The disk takes no more, or fails."  # SQLite can't tell the one from the other

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes of each file, and no more."""
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (max(but, PAGE), hard))

    def free(self) -> None:
        """Let files grow again."""
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def disk_of(folder: Path, *, of_its_own: bool = True) -> Disk:
    """Return the disk on which ``folder`` lies, with what is in it, for the rest of this process.

    Nobody else may be at work on a file of it.
    """
    kept = folder.with_name(f"{folder.name}_before")
    shutil.copytree(folder, kept)
    if not of_its_own or not _mounted(folder):
        return NoFileGrows()
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    return OwnDisk(folder)


def _mounted(folder: Path) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if not _has_own_mounts(libc):
        return False
    libc.mount(None, b"/", None, _RECURSIVE | _PRIVATE, None)
    size = f"size={ROOM}".encode()
    return libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, size) == 0


def _has_own_mounts(libc: ctypes.CDLL) -> bool:
    """Have mounts that nobody else sees: as root, or as the root of users of our own."""
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(_NEW_MOUNTS) == 0:
        return True
    if libc.unshare(_NEW_USERS | _NEW_MOUNTS) != 0:
        return False
    for name, line in _ROOT_AS_WE_ARE:
        Path(f"/proc/self/{name}").write_text(line.format(uid=uid, gid=gid))
    return True
