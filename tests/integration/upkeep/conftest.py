"""Keys of a process that these tests change, and its own again afterwards."""

from collections.abc import Iterator

import pytest

from outreach import sealing

OLD, NEW = ("old", b"1" * 32), ("new", b"2" * 32)


@pytest.fixture
def with_old_key() -> Iterator[None]:
    """Let the process encrypt with OLD; afterwards with its own, staff numbers too."""
    before, asked_first = sealing.cipher(), list(sealing._first)
    sealing.use([OLD])
    yield
    sealing.use([OLD])  # which seals from now on
    sealing._in_use[:], sealing._first[:] = [before], asked_first
