"""Keys of a process that these tests change, and its own again afterwards."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from outreach import sealing

OLD, NEW = ("old", b"1" * 32), ("new", b"2" * 32)


def written(*keys: tuple[str, bytes]) -> str:
    """Return keys as a file of keys has them."""
    return "\n".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in keys)


@contextmanager
def own_keys_afterwards() -> Iterator[None]:
    """Let the process have its own keys again afterwards, staff numbers' too."""
    before, asked_first = sealing.cipher(), list(sealing._first)
    yield
    sealing.use([OLD])  # which seals from now on
    sealing._in_use[:], sealing._first[:] = [before], asked_first


@pytest.fixture
def with_old_key() -> Iterator[None]:
    """Let the process encrypt with OLD; afterwards with its own, staff numbers too."""
    with own_keys_afterwards():
        sealing.use([OLD])
        yield
