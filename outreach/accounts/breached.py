"""A list of breached passwords that lies on this machine; nothing of a password leaves it.

The file is the one that Have I Been Pwned offers as "SHA-1, ordered by hash": lines of 40
hexadecimal digits, a colon and a count, sorted. It has some 40 gigabytes, so it is searched by
halves and never read whole.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

_DIGITS = 40
_LONGEST_LINE = 64


class BadList(ValueError):
    """The file is no list of SHA-1 hashes, one a line."""


def is_listed(path: Path, password: str) -> bool:
    """Say whether ``password`` is in the list at ``path``.

    Raises:
        BadList
        OSError: the file can't be read. Nobody chooses a password that nobody could check.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, file.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            begins, line = _line_at(file, middle)
            found = line[:_DIGITS].upper()
            if found == wanted:
                return True
            if found < wanted:
                low = begins + len(line)
            else:
                high = begins
    return False


def _line_at(file: BinaryIO, place: int) -> tuple[int, bytes]:
    """Return where the line around ``place`` begins, and the line."""
    begins = max(0, place - _LONGEST_LINE)
    file.seek(begins)
    block = file.read(3 * _LONGEST_LINE)
    start = block.rfind(b"\n", 0, place - begins) + 1
    end = block.find(b"\n", place - begins)
    line = block[start:] if end < 0 else block[start : end + 1]
    digits = line[:_DIGITS]
    if len(digits) < _DIGITS or not all(digit in b"0123456789ABCDEFabcdef" for digit in digits):
        raise BadList("The list of breached passwords is no sorted list of SHA-1 hashes.")
    return begins + start, line
