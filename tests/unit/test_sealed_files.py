"""Files that lie encrypted: whole or refused, whatever their length and whatever was cut off."""

import io
import os
from pathlib import Path

import pytest

from outreach import sealed_files
from outreach.encryption import CannotDecrypt, Cipher, DataKey
from outreach.sealed_files import CHUNK

CIPHER = Cipher([DataKey("one", b"1" * 32)])
LENGTHS = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]


def sealed(plain: bytes, cipher: Cipher = CIPHER, place: str = "file") -> bytes:
    written = io.BytesIO()
    assert sealed_files.seal(io.BytesIO(plain), written, cipher, place=place) == len(plain)
    return written.getvalue()


def opened(kept: bytes, cipher: Cipher = CIPHER, place: str = "file") -> bytes:
    return b"".join(sealed_files.opened(io.BytesIO(kept), cipher, place=place))


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_sealed_is_read_again_and_looks_like_nothing(length: int) -> None:
    plain = (b"Rosa Aguilar, +15125550147\n" * (length // 27 + 1))[:length]

    kept = sealed(plain)

    assert opened(kept) == plain
    assert b"Aguilar" not in kept
    assert sealed(plain) != kept


@pytest.mark.parametrize("length", LENGTHS[1:])
def test_a_file_that_was_cut_changed_or_put_together_anew_is_refused(length: int) -> None:
    kept = sealed(os.urandom(length))
    head, frame = kept.index(b"\n") + 1, CHUNK + 16
    head = kept.index(b"\n", head) + 1
    frames = [kept[at : at + frame] for at in range(head, len(kept), frame)]
    wrong = {
        "cut": kept[:-1],
        "last left out": kept[:head] + b"".join(frames[:-1]),
        "a bit": kept[:-1] + bytes([kept[-1] ^ 1]),
        "more": kept + b"x",
        "twice": kept + frames[-1],
    }
    if len(frames) > 1:
        wrong["swapped"] = kept[:head] + b"".join(reversed(frames))

    for file in wrong.values():
        with pytest.raises(CannotDecrypt):
            opened(file)


def test_another_key_and_another_place_open_nothing() -> None:
    kept = sealed(b"Rosa")

    for cipher, place in ((Cipher([DataKey("one", b"2" * 32)]), "file"), (CIPHER, "other")):
        with pytest.raises(CannotDecrypt):
            opened(kept, cipher, place)


def test_a_file_of_before_is_read_as_it_is() -> None:
    assert opened(b"name,number\nRosa,1\n") == b"name,number\nRosa,1\n"
    assert opened(b"") == b""


@pytest.mark.parametrize("length", LENGTHS)
def test_a_sealed_file_is_read_line_by_line_as_any_other(tmp_path: Path, length: int) -> None:
    plain = (b"LS1;Rosa\n" * (length // 9 + 1))[:length]
    path = tmp_path / "kept"
    path.write_bytes(sealed(plain))

    with sealed_files.reading(path, CIPHER, place="file") as stream:
        assert list(stream) == list(io.BytesIO(plain))
    with sealed_files.reading(path, CIPHER, place="file") as stream:
        assert (stream.read(5), stream.read()) == (plain[:5], plain[5:])
    assert sealed_files.size_of(path) == length


def test_what_the_release_before_left_in_clear_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"mrn,given_name\nLS1,Rosa\n")

    with sealed_files.reading(path, CIPHER, place="file") as stream:
        assert list(stream) == [b"mrn,given_name\n", b"LS1,Rosa\n"]
