"""Whole files, encrypted as they lie, in pieces, so that a large one takes no memory.

Each has a key of its own, encrypted as other values are (:mod:`outreach.encryption`). Pieces are
AES-256-GCM; a piece names its place and whether it is the last, so that none can be left out,
moved or added (as STREAM, Hoang et al. 2015). Files without our first line are of a release
that left them as they were.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outreach.encryption import KEY_BYTES, CannotDecrypt, Cipher

CHUNK = 1 << 20
_TAG = 16
_FIRST_LINE = b"outreach sealed 1\n"
_LONGEST_KEY_LINE = 400


def seal(plain: BinaryIO, sealed: BinaryIO, cipher: Cipher, *, place: str) -> int:
    """Write ``plain`` to ``sealed`` encrypted; return how many bytes it had."""
    secret = os.urandom(KEY_BYTES)
    sealed.write(_FIRST_LINE + cipher.encrypt(secret, place=place).encode() + b"\n")
    key, number, size = AESGCM(secret), 0, 0
    piece = plain.read(CHUNK)
    while True:
        after = plain.read(CHUNK)
        sealed.write(key.encrypt(_nonce(number), piece, _bound(is_last=not after)))
        size += len(piece)
        if not after:
            return size
        piece, number = after, number + 1


def opened(sealed: BinaryIO, cipher: Cipher, *, place: str) -> Iterator[bytes]:
    """Yield what :func:`seal` encrypted, piece by piece.

    Raises:
        CannotDecrypt: another key or place, or a file that was changed or cut.
    """
    first = sealed.read(len(_FIRST_LINE))
    if first != _FIRST_LINE:
        yield first
        yield from iter(lambda: sealed.read(CHUNK), b"")
        return
    line = sealed.readline(_LONGEST_KEY_LINE).strip().decode(errors="replace")
    key, number = AESGCM(cipher.decrypt(line, place=place)), 0
    piece = sealed.read(CHUNK + _TAG)
    while True:
        after = sealed.read(CHUNK + _TAG)
        try:
            yield key.decrypt(_nonce(number), piece, _bound(is_last=not after))
        except InvalidTag as error:
            raise CannotDecrypt("The file was changed, or is not whole.") from error
        if not after:
            return
        piece, number = after, number + 1


def size_of(path: Path) -> int:
    """Return how many bytes a file had before it was encrypted."""
    with path.open("rb") as sealed:
        if sealed.read(len(_FIRST_LINE)) != _FIRST_LINE:
            return path.stat().st_size
        sealed.readline(_LONGEST_KEY_LINE)
        left = path.stat().st_size - sealed.tell()
    return left - _TAG * -(-left // (CHUNK + _TAG))


class _Reader(io.RawIOBase):
    """A file's plain bytes, read forwards."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        """Say that it is read, not written."""
        return True

    def readinto(self, into: Any) -> int:
        """Read into a buffer; return how many bytes, 0 at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken = self._left[: len(into)]
        self._left = self._left[len(taken) :]
        into[: len(taken)] = taken
        return len(taken)


@contextmanager
def reading(path: Path, cipher: Cipher, *, place: str) -> Iterator[BinaryIO]:
    """Open what :func:`seal` wrote to ``path``, to be read as any file.

    Raises, while it is read, what :func:`opened` does.
    """
    with path.open("rb") as sealed:
        yield io.BufferedReader(_Reader(opened(sealed, cipher, place=place)), CHUNK)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12)  # the key is this file's alone


def _bound(*, is_last: bool) -> bytes:
    return b"last" if is_last else b"more"
