"""Templates, compiled once: by whichever process needs one first, and kept for the others."""

from contextlib import suppress
from pathlib import Path

from jinja2 import BytecodeCache, FileSystemBytecodeCache
from jinja2.bccache import Bucket

# Whoever changes how templates are compiled changes this: a process of the release before, which
# looks into the same folder while it is renewed, could not run what is found there.
_NAMES = "quicker_%s.cache"


def kept_in(folder: Path) -> BytecodeCache | None:
    """Return templates as they are kept in ``folder``; None where it can't be made.

    Only its owner may write there: what lies in it is run.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return _Kept(str(folder), _NAMES)


class _Kept(FileSystemBytecodeCache):
    """A folder that a full disk, or one that can't be written to, makes no page fail."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled, if that is possible."""
        with suppress(OSError):
            super().dump_bytecode(bucket)
