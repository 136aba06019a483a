"""The end of the chain, kept in a file of the instance folder.

Whoever can write to the database can cut the end off the chain, or make all of it anew, and it is
whole again; not whoever can do no more than that, where the end is known outside of it.
"""

import os
from pathlib import Path

from outreach.audit.chain import Head
from outreach.disk import to_disk


def kept_in(instance: Path) -> Path:
    """Return the file that keeps the end, in the instance folder."""
    return instance / "audit_head"


def read(path: Path) -> Head | None:
    """Return the end that was kept; None where none is."""
    try:
        position, digest = path.read_text().split()
        return Head(int(position), digest)
    except (OSError, ValueError):
        return None


def keep(path: Path, head: Head) -> None:
    """Keep an end in the place of the one before; whole, or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{head.position} {head.digest}\n")
    to_disk(part)
    part.replace(path)
    to_disk(path.parent)


def set_aside(path: Path) -> None:
    """Hold the chain against no end from before: a backup was put back, which is older."""
    if path.exists():
        path.replace(path.with_name(f"{path.name}.before-restore"))
